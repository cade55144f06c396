"""The page about converters is made from the tables."""

from pathlib import Path

from functions.core.converter.operators import OPERATORS
from functions.core.converter.reference import converter_reference
from functions.core.events.fields import INPUTS

PAGE = Path(__file__).parents[2] / "docs" / "converter.md"


def test_the_page_tells_all_operators_and_fields() -> None:
    page = converter_reference()
    for name in (*OPERATORS, *INPUTS):
        shown = name.replace("|", "\\|")
        assert f"`{shown}`" in page, name


def test_the_page_is_the_one_in_the_documentation() -> None:
    assert PAGE.read_text("utf-8") == converter_reference()
