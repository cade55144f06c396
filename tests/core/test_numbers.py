"""What a template's result is as text, against an implementation that follows Go's source and not ours."""

import json
import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.core.errors import Code, Permanent
from functions.core.instants import Instant
from functions.core.keys import object_key
from functions.core.messages import parse_message
from functions.core.templates.jmespath_keys import KeyTemplate
from tests.cases import table

_WIDE = Context(prec=1200)
"""Wide enough for every double, exactly."""

TEMPLATE = KeyTemplate.parse("data.value")


def _key(value: str) -> str:
    body = f'{{"destination_id": "acme", "data": {{"value": {value}}}}}'.encode()
    message = parse_message(body, message_id="m", sent=Instant(0))
    return object_key(prefix="", name=TEMPLATE.render(metadata={}, time=message.time, data=message.data))


@pytest.mark.parametrize("case", table("results"))
def test_a_result_gives_this_key_or_this_error(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(Permanent) as raised:
            _key(case["json"])
        assert raised.value.code is Code.BAD_KEY
        assert case["error"] in raised.value.text
    else:
        assert _key(case["json"]) == case["key"]


def _go(number: float) -> str:
    """`strconv.FormatFloat(number, 'g', -1, 64)`, by the steps of Go's ftoa.go."""
    sign = "-" if math.copysign(1, number) < 0 else ""
    if number == 0:
        return f"{sign}0"
    exact = Decimal(abs(number))
    first = exact.adjusted()
    candidates = (
        exact.quantize(Decimal((0, (1,), first - digits)), rounding=rounding, context=_WIDE)
        for digits in range(17)
        for rounding in (ROUND_FLOOR, ROUND_CEILING)
    )
    # The fewest digits that read back as the same double, and of those the nearest.
    fitting = [each for each in candidates if float(each) == abs(number)]
    fewest = min(len(each.normalize(_WIDE).as_tuple().digits) for each in fitting)
    nearest = min(
        (each for each in fitting if len(each.normalize(_WIDE).as_tuple().digits) == fewest),
        key=lambda each: _WIDE.abs(_WIDE.subtract(each, exact)),
    )
    digits, exponent = "".join(map(str, nearest.normalize(_WIDE).as_tuple().digits)), nearest.adjusted()
    if exponent < -4 or exponent >= 6:
        fraction = f".{digits[1:]}" if digits[1:] else ""
        return f"{sign}{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    fraction = digits[exponent + 1 :]
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


@given(
    st.one_of(
        st.floats(allow_nan=False, allow_infinity=False),
        st.floats(-2e6, 2e6),
        st.integers(-400, 400).map(lambda power: float(f"9.5e{power}") if power < 308 else 1e300),
    )
)
@example(1e6)
@example(999999.9999999999)
@example(1e-4)
@example(9.999e-5)
def test_floats_are_as_go_writes_them(number: float) -> None:
    assert _key(repr(number)) == _go(number)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_reads_back_as_the_same_double(number: float) -> None:
    assert math.copysign(1, float(_key(repr(number)))) == math.copysign(1, number)
    assert float(_key(repr(number))) == number


@given(st.integers(-(10**300), 10**300))
def test_integers_are_in_decimal_digits(number: int) -> None:
    assert _key(str(number)) == str(number)


@pytest.mark.parametrize("digits", [1_025, 4_300, 4_301, 20_000])
def test_an_integer_of_more_digits_than_a_key_may_have_is_a_bad_key(digits: int) -> None:
    with pytest.raises(Permanent) as raised:
        _key("9" * digits)
    assert raised.value.code is Code.BAD_KEY


def test_a_sum_of_more_digits_than_python_prints_is_a_bad_key() -> None:
    with pytest.raises(Permanent) as raised:
        KeyTemplate.parse("sum(data.n)").render(
            metadata={}, time=Instant(0), data=lambda: {"n": [10**4_299 * 9] * 2}
        )
    assert raised.value.code is Code.BAD_KEY


@pytest.mark.parametrize("value", [True, False])
def test_booleans_are_as_json_writes_them(*, value: bool) -> None:
    assert _key(json.dumps(value)) == json.dumps(value)
