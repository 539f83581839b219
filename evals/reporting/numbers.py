"""Numbers as pages show them: a value, its interval and its n, or a dash and the reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined

DASH = "\u2013"


@dataclass(frozen=True, slots=True)
class Shown:
    """An estimate in words.

    Attributes
    ----------
    value, interval : str
        "64.4 %" and "58.5 to 69.9"; a dash and nothing where there is no number.
    n : str
        "812 judgements", or "812" where the table says what is counted.
    why : str
        Why there is no number, or no interval.
    estimate : Estimate or None
    """

    value: str
    interval: str
    n: str
    why: str
    method: str
    estimate: Estimate | None = None

    @property
    def is_short(self) -> bool:
        """Whether the interval rests on too few items to be as wide as it should be."""
        return "interval too short" in self.method


def shown(result: Estimate | Undefined, unit: str = "share", word: str = "judgements") -> Shown:
    """Put an estimate into words; `word` empty leaves the bare count."""
    n = wording.counted(result.n, word) if word else wording.count(result.n)
    if isinstance(result, Undefined):
        return Shown(DASH, "", n, result.reason, result.method)
    interval, why = "", ""
    if result.low is None:
        why = _after_semicolon(result.method)
    else:
        interval = wording.interval(result.low, result.high, unit)
    return Shown(wording.number_of(result.value, unit), interval, n, why, result.method, result)


def _after_semicolon(method: str) -> str:
    return method.rpartition("; ")[2]


def from_json(found: dict[str, Any]) -> Estimate | Undefined:
    """An estimate that was kept as JSON."""
    if found["value"] is None:
        return Undefined(found["reason"], found["n"])
    return Estimate(
        found["value"],
        found["low"],
        found["high"],
        found["n"],
        found["method"],
        found["confidence"],
        found.get("se"),
        found.get("design_effect"),
    )


def level(confidence: float) -> str:
    """ "95 %", "97.5 %"."""
    whole = abs(100 * confidence - round(100 * confidence)) < 1e-9
    return wording.percent(confidence, 0 if whole else 1)


def day_words(day: date) -> str:
    """ "6 August 2026"."""
    return f"{day.day} {day:%B %Y}"


def many(count: int, word: str) -> str:
    """ "one gate", "two gates", "12 gates": small numbers in words."""
    return f"{in_words(count)} {word if count != 1 else word.removesuffix('s')}"


def in_words(count: int) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return words[count] if count < len(words) else wording.count(count)


def listed(names: Sequence[str], most: int = 4) -> str:
    """ "a, b and c"; a long list says how many more there are."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {in_words(len(names) - most)} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
