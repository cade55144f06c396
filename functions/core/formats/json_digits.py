"""Whether doubles give the numbers of a JSON text back, found by looking at its digits alone."""

FEW_DIGITS = 15
"""A double gives back any 15 digits; one of more than 15 before the point may have been any of several integers."""

# Digits and points are one: a search for many of them finds long numbers sooner than any pattern.
ALIKE = bytes.maketrans(b"123456789.E", b"0000000000e")
LONG = b"0" * (FEW_DIGITS + 1)
TINY = b"0e-000"


def few(data: bytes) -> bool:
    """Whether no number in it, nor anything that looks like one, is so long or so small that a double changes it.

    Numbers too large for doubles are not looked for: whoever reads them as doubles is told.
    """
    alike = data.translate(ALIKE)
    return LONG not in alike and TINY not in alike
