"""Tests beside the win rate, and which rows of a table may be called different from 50 %."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from evals.reporting.compared import p_words
from evals.reporting.numbers import DASH, in_words, listed
from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.multiplicity import holm
from evals.stats.preference import ClusteredRate
from evals.stats.share_tests import HALF, ShareTest, at_odds, clustered_test, sign_test
from evals.tallies import COUNTED, NOTHING_DECIDED, NOTHING_JUDGED, Tally, Ties

NO_EXACT_TEST = (
    "ties count as half a win here, and no exact test knows half a win; the clustered test does"
)
HALF_WORDS = wording.percent(HALF, 0)
Found = ShareTest | Undefined
Place = Literal["ahead", "behind", "across", "doubtful", ""]


@dataclass(frozen=True, slots=True)
class TestedRow:
    """One test of the win rate, in words.

    Attributes
    ----------
    against : str
        The share under test: "50 %, no preference" or "60 %, the gate".
    p, detail, n : str
        "0.004", "T = 2.91" (or the mid-p of a sign test), "240 judgements".
    method : str
        Or the reason why there is no test.
    """

    against: str
    p: str
    detail: str
    n: str
    method: str


@dataclass(frozen=True, slots=True)
class Tested:
    """All tests of the headline, and what they say.

    Attributes
    ----------
    at_odds, exact_apart : str
        Shares at which interval and clustered test differ, and at which the exact test
        answers otherwise than the clustered one.
    """

    said: str
    rows: Sequence[TestedRow]
    at_odds: str
    exact_apart: str
    is_exact: bool
    share_people: bool


@dataclass(frozen=True, slots=True)
class Headline:
    """What is put to the test: a win rate, its votes, and by which terms."""

    tally: Tally
    rate: ClusteredRate | Undefined
    threshold: float
    ties: Ties

    @property
    def nulls(self) -> tuple[float, ...]:
        """One half, and the gate's threshold where it is another share that can be tested."""
        apart = self.threshold != HALF and 0 < self.threshold < 1
        return (HALF, self.threshold) if apart else (HALF,)

    def clustered(self, null: float) -> Found:
        if isinstance(self.rate, Undefined):
            return self.rate
        return attempt(clustered_test, self.rate, null)

    def exact(self, null: float) -> Found | None:
        """None where an item has more than one judgement."""
        if not self.tally.is_single:
            return None
        if not self.tally.decided:
            return Undefined(NOTHING_DECIDED if self.tally.n else NOTHING_JUDGED, self.tally.n)
        if null != HALF and self.ties == "half" and self.tally.ties:
            return Undefined(NO_EXACT_TEST, self.tally.n)
        return attempt(sign_test, self.tally.wins, self.tally.losses, null)


def headline_tests(headline: Headline) -> Tested | None:
    """The tests for a page; None as long as there is no win rate to test."""
    rate = headline.rate
    if isinstance(rate, Undefined):
        return None
    clustered = {null: headline.clustered(null) for null in headline.nulls}
    exact = {null: headline.exact(null) for null in headline.nulls}
    rows = [_row(null, found, COUNTED[headline.ties]) for null, found in clustered.items()]
    rows += [_row(null, found, COUNTED["decided"]) for null, found in exact.items() if found]
    apart = [n for n, one in exact.items() if one and _differ(one, clustered[n], rate.confidence)]
    return Tested(
        _said(rate, clustered),
        rows,
        listed([_percent(null) for null, one in clustered.items() if at_odds(rate, one)]),
        listed([_percent(null) for null in apart]),
        any(isinstance(found, ShareTest) for found in exact.values()),
        headline.tally.annotator_count > 1,
    )


def _percent(share: float) -> str:
    """ "50 %", "62.5 %"."""
    return wording.percent(share, 0 if abs(100 * share - round(100 * share)) < 1e-9 else 1)


def _differ(one: Found, other: Found, confidence: float) -> bool:
    if isinstance(one, Undefined) or isinstance(other, Undefined):
        return False
    level = level_of(confidence)
    return (one.p_value <= level) != (other.p_value <= level)


def _row(null: float, found: Found, word: str) -> TestedRow:
    name = f"{_percent(null)}, {'no preference' if null == HALF else 'the gate'}"
    if isinstance(found, Undefined):
        return TestedRow(name, DASH, "", "", f"No test: {found.reason}.")
    letter = "z" if found.df is None else "T"
    detail = "" if found.statistic is None else f"{letter} = {wording.decimal(found.statistic, 2)}"
    if found.mid_p is not None:
        detail = f"mid-p {p_words(found.mid_p)}"
    n = wording.counted(found.n, word)
    return TestedRow(name, p_words(found.p_value), detail, n, wording.sentence(found.method))


def _said(rate: ClusteredRate, clustered: Mapping[float, Found]) -> str:
    """One sentence for each share that was tested."""
    return " ".join(
        _finding(rate, null, found, "the win rate" if null == HALF else "it")
        for null, found in clustered.items()
        if isinstance(found, ShareTest)
    )


def _finding(rate: ClusteredRate, null: float, found: ShareTest, subject: str) -> str:
    what = _percent(null) if null == HALF else f"the gate\u2019s {_percent(null)}"
    p = f"p\u00a0{p_words(found.p_value)}"
    if found.p_value > level_of(rate.confidence):
        return f"Chance alone may part {subject} from {what} ({p})."
    side = "above" if rate.value > null else "below"
    return wording.sentence(f"{subject} lies {side} {what} by more than chance explains ({p})")


def level_of(confidence: float) -> float:
    """The level of a test that goes with an interval: 5 % with 95 %."""
    return round(1 - confidence, 12)


@dataclass(frozen=True, slots=True)
class Part:
    """The win rate of one row of a table, tested among its rows.

    Attributes
    ----------
    p : float or None
        That it differs from 50 %, corrected by Holm over the rows that could be tested.
    """

    name: str
    rate: Estimate | Undefined
    p: float | None = None

    @property
    def place(self) -> Place:
        """Where it lies; "doubtful" where only the interval by itself leaves out 50 %."""
        rate = self.rate
        if isinstance(rate, Undefined) or rate.low is None or rate.high is None:
            return ""
        if rate.low <= HALF <= rate.high:
            return "across"
        if self.p is None or self.p > level_of(rate.confidence):
            return "doubtful"
        return "ahead" if rate.low > HALF else "behind"


def parts_of(rates: Mapping[str, ClusteredRate | Undefined]) -> list[Part]:
    """Every row with its p-value, corrected over all of them."""
    raw = {
        name: rate.p_value
        for name, rate in rates.items()
        if isinstance(rate, ClusteredRate) and rate.p_value is not None
    }
    adjusted = dict(zip(raw, holm(list(raw.values())).p_values, strict=True)) if raw else {}
    return [Part(name, rate, adjusted.get(name)) for name, rate in rates.items()]


def tested_count(parts: Sequence[Part]) -> int:
    """How many rows could be tested."""
    return sum(part.p is not None for part in parts)


def where_it_wins(parts: Sequence[Part]) -> str:
    """Which rows lie above one half, below it, or across it."""
    at: dict[Place, list[str]] = {}
    for part in parts:
        at.setdefault(part.place, []).append(part.name or "no category")
    said = []
    if ahead := at.get("ahead"):
        said.append(f"Ahead on {listed(ahead)}.")
    if behind := at.get("behind"):
        said.append(f"Behind on {listed(behind)}.")
    if across := at.get("across"):
        said.append(f"On {listed(across)} the interval holds {HALF_WORDS}.")
    if doubtful := at.get("doubtful"):
        leave = "interval leaves" if len(doubtful) == 1 else "intervals leave"
        said.append(
            f"On {listed(doubtful)} the {leave} out {HALF_WORDS}, but the corrected test does "
            "not: no difference is shown."
        )
    return " ".join(said)


def corrected_over(criteria: Sequence[Part], categories: Sequence[Part]) -> str:
    """Over how many rows p was corrected: "over four criteria"."""
    counts = (
        (tested_count(criteria), "criteria", "criterion"),
        (tested_count(categories), "categories", "category"),
    )
    over = [f"{in_words(n)} {one if n == 1 else many}" for n, many, one in counts if n]
    return f"over {' and, by themselves, over '.join(over)}" if over else ""


def tests_json(
    headline: Headline,
    by_criterion: Mapping[str, ClusteredRate | Undefined],
    by_category: Mapping[str, ClusteredRate | Undefined],
) -> dict[str, Any]:
    """The same for scripts; win rates count ties as `ties` says."""
    nulls = dict(zip(("half", "gate"), headline.nulls, strict=False))
    return {
        "ties": headline.ties,
        "win_rate": headline.rate.as_json(),
        **{name: _against_json(headline, null) for name, null in nulls.items()},
        "by_criterion": _parts_json(parts_of(by_criterion)),
        "by_category": _parts_json(parts_of(by_category)),
    }


def _against_json(headline: Headline, null: float) -> dict[str, Any]:
    exact = headline.exact(null)
    if exact is None:
        exact = Undefined("an item has more than one judgement", headline.tally.n)
    return {
        "clustered": _test_json(headline.clustered(null), null),
        "exact": _test_json(exact, null),
    }


def _test_json(found: Found, null: float) -> dict[str, Any]:
    if isinstance(found, Undefined):
        return {"null": null, "p_value": None, "reason": found.reason, "n": found.n}
    return dict(found.as_json())


def _parts_json(parts: Sequence[Part]) -> dict[str, Any]:
    return {
        part.name: {
            "win_rate": part.rate.as_json(),
            "p_value": part.rate.p_value if isinstance(part.rate, ClusteredRate) else None,
            "p_holm": part.p,
            "tests": tested_count(parts),
            "differs": part.place in ("ahead", "behind"),
        }
        for part in parts
    }
