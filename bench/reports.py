"""What a benchmark found, as a page and as an exit status."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

import msgspec

from bench import endpoint

NOT_MET = 1
NO_NGINX = 2


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A bound that a measured ratio must keep; a lower one unless `at_most`."""

    what: str
    measured: float
    bound: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether it does."""
        return self.measured <= self.bound if self.at_most else self.measured >= self.bound

    def row(self) -> list[str]:
        """As a row of a table."""
        side = "at most" if self.at_most else "at least"
        return [
            self.what,
            f"{side} {self.bound:g}",
            f"**{self.measured:.2f}**",
            "yes" if self.met else "**no**",
        ]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Figures: the first column is text, the others are numbers."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """The table, aligned, so that it reads well in a terminal too."""
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        rule = ["-" * width if not number else "-" * (width - 1) + ":" for number, width in enumerate(widths)]
        lines = [
            [cell.rjust(width) if number else cell.ljust(width) for number, (cell, width) in enumerate(each)]
            for each in (list(zip(row, widths, strict=True)) for row in (self.columns, rule, *self.rows))
        ]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark: what was measured and how, the figures, the claims.

    `command` repeats it; `sections` are text and tables, in the page's order.
    """

    title: str
    command: str
    sections: Sequence[str | Table]
    claims: Sequence[Claim] = ()

    @property
    def met(self) -> bool:
        """Whether all claims are."""
        return all(claim.met for claim in self.claims)

    def markdown(self) -> str:
        """The page's section."""
        parts = [f"## {self.title}", f"`{self.command}`"]
        parts += [each if isinstance(each, str) else each.markdown() for each in self.sections]
        if self.claims:
            columns = ["claim", "bound", "measured", "met"]
            parts.append(Table(columns=columns, rows=[claim.row() for claim in self.claims]).markdown())
        return "\n\n".join(parts)


def run(benchmark: Callable[[bool], Report]) -> NoReturn:
    """A script's whole work: measure (shortly, with `--quick`), print, exit with 1 if a claim is not met."""
    report = benchmark(quick_asked(benchmark.__module__))
    sys.stdout.write(f"{report.markdown()}\n")
    sys.exit(0 if report.met else NOT_MET)


def quick_asked(what: str) -> bool:
    """What the command line says; exits with 2 where nginx is missing."""
    parser = argparse.ArgumentParser(description=sys.modules[what].__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="fewer rounds, for a look and not for the record"
    )
    quick: bool = parser.parse_args().quick
    if endpoint.nginx() is None:
        sys.stderr.write(f"{endpoint.INSTALL}\n")
        sys.exit(NO_NGINX)
    return quick


def progress(text: str) -> None:
    """A sign of life, beside the result."""
    sys.stderr.write(f"{text}\n")
