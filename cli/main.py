"""`sluice`: the command line."""

import os
import sys

from cli import (
    access,
    convert,
    converter,
    definition,
    demo,
    destination,
    failures,
    imports,
    load,
    local,
    profile,
    records,
    runs,
    send,
    source,
    template,
)
from cli.apps import group

app = group("S3 destinations and S3 imports for your own product, in your own AWS account.")
app.add_typer(template.app, name="template")
app.add_typer(definition.app, name="definition")
app.add_typer(destination.app, name="destination")
app.add_typer(source.app, name="source")
app.add_typer(converter.app, name="converter")
app.add_typer(access.app, name="access")
app.add_typer(imports.app, name="import")
app.add_typer(runs.app, name="runs")
app.add_typer(failures.app, name="failures")
app.add_typer(profile.app, name="profile")
app.add_typer(local.app, name="local")
send.add_to(app)
load.add_to(app)
records.add_to(app)
convert.add_to(app)
demo.add_to(app)


def main() -> None:
    """Run the command that the arguments name; nothing ends in a traceback unless SLUICE_DEBUG is set."""
    try:
        app()
    except BrokenPipeError:
        # Whoever read our output has seen enough; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if "SLUICE_DEBUG" in os.environ:
            raise
        print(f"sluice: unforeseen {type(error).__name__}; SLUICE_DEBUG=1 shows where", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
