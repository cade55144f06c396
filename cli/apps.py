"""How every group of commands is made."""

import typer


def group(help_text: str) -> typer.Typer:
    """A group that explains itself when it is called alone, and whose help is plain text."""
    app = typer.Typer(
        no_args_is_help=True,
        help=help_text,
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    # With a callback, a group of one command is still a group.
    app.callback()(lambda: None)
    return app
