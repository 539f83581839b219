"""Numbers as people read them: true minus, narrow space before the unit, "58.5 to 69.9"."""

import math

from evals.stats.estimates import Estimate

NARROW = "\u202f"
MINUS = "\u2212"
# Steps to which a forecast is rounded up: it is not known any better.
STEPS = ((20, 1), (100, 5), (1_000, 10), (10_000, 50), (100_000, 500))


def decimal(value: float, digits: int = 1, *, sign: bool = False) -> str:
    """`value` with so many digits, thousands commas and a true minus; never "-0.0"."""
    text = f"{value:+,.{digits}f}" if sign else f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        return f"{0:.{digits}f}"
    return text.replace("-", MINUS)


def count(n: int) -> str:
    """A whole number with thousands commas."""
    return decimal(n, 0)


def percent(share: float, digits: int = 1) -> str:
    """A share as "64.4 %"."""
    return f"{percent_number(share, digits)}{NARROW}%"


def percent_number(share: float, digits: int = 1) -> str:
    """A share as "64.4"; only a full share reads 100, only none reads 0."""
    text = decimal(100 * share, digits)
    edge = 10**-digits
    if share < 1 and text == decimal(100, digits):
        return decimal(100 - edge, digits)
    if share > 0 and text == decimal(0, digits):
        return decimal(edge, digits)
    return text


def percent_at_least(share: float, digits: int = 1) -> str:
    """A lower bound, rounded down so that it stays one: "98.5 %"."""
    factor = 10**digits
    return percent(math.floor(100 * share * factor + 1e-9) / factor / 100, digits)


def points(difference: float, digits: int = 1) -> str:
    """A difference of shares as "+8.4 points"."""
    return f"{points_number(difference, digits)}{NARROW}{plural_word(difference, 'point')}"


def points_number(difference: float, digits: int = 1) -> str:
    """A difference of shares as "+8.4"."""
    return decimal(100 * difference, digits, sign=True)


def plural_word(difference: float, word: str) -> str:
    """The word for exactly one point or for several."""
    return word if math.isclose(abs(100 * difference), 1) else f"{word}s"


def relative(change: float, digits: int = 1) -> str:
    """A change as a part of what it was before: "+8.4 %"."""
    return f"{points_number(change, digits)}{NARROW}%"


def ratio(value: float, digits: int = 2) -> str:
    """A ratio as "1.31 ×"."""
    return f"{decimal(value, digits)}{NARROW}×"


def coefficient(value: float, digits: int = 2) -> str:
    """A kappa or an alpha as "0.47"."""
    return decimal(value, digits)


def strength(value: float, digits: int = 2) -> str:
    """A mean strength from -1 to 1 as "+0.21"."""
    return decimal(value, digits, sign=True)


def number_of(value: float, unit: str) -> str:
    """`value` with its unit: share, points, relative, ratio, coefficient or strength."""
    words = {"share": percent, "points": points, "relative": relative, "ratio": ratio,
             "coefficient": coefficient, "strength": strength}  # fmt: skip
    return words[unit](value)


def _bare(value: float, unit: str) -> str:
    if unit == "share":
        return percent_number(value)
    if unit in ("points", "relative"):
        return points_number(value)
    return strength(value) if unit == "strength" else decimal(value, 2)


def interval(low: float | None, high: float | None, unit: str = "share") -> str:
    """ "58.5 to 69.9", without the unit; a dash where there is no interval."""
    if low is None or high is None:
        return "\u2013"
    return f"{_bare(low, unit)} to {_bare(high, unit)}"


def counted(n: int, word: str) -> str:
    """ "812 judgements", "1 judgement"; `word` is the plural."""
    return f"{count(n)} {word.removesuffix('s') if n == 1 else word}"


def about(n: int) -> str:
    """A forecast, rounded up: "about 1,050"."""
    for below, step in STEPS:
        if n < below:
            return f"about {count(math.ceil(n / step) * step)}"
    return f"about {count(math.ceil(n / 5_000) * 5_000)}"


def estimate(result: Estimate, unit: str = "share", word: str = "judgements") -> str:
    """ "64.4 % (58.5 to 69.9, 812 judgements)"."""
    inside = "no interval" if result.low is None else interval(result.low, result.high, unit)
    return f"{number_of(result.value, unit)} ({inside}, {counted(result.n, word)})"


def sentence(text: str) -> str:
    """`text` with a capital letter and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
