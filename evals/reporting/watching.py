"""While a study runs: what it says to who looks once, and every day, and how far it has to go."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotate.models import Study
from evals import queries
from evals.figures.preferences import Look
from evals.queries import looks as seen
from evals.stats.anytime import FIRST_LOOK, betting_limits, widened
from evals.stats.distributions import student_quantile
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate, Json, Undefined
from evals.stats.planning import collected_for, detectable_share, more_needed
from evals.tallies import Tally, Ties

AND: dict[Ties, str] = {"half": "", "decided": " and a decided one"}
POWER = 0.8


def too_few(ties: Ties) -> str:
    """Why nothing is said of looking."""
    return f"fewer than {FIRST_LOOK} items have all of their judgements{AND[ties]}"


@dataclass(frozen=True, slots=True)
class Whose:
    """The annotators of whom both intervals speak, and how far these may lie from them."""

    people: int
    margin: float | None

    @property
    def words(self) -> str:
        if self.margin is None:
            return f"for these annotators ({self.people})"
        return f"for annotators like these {self.people}"


def whose(tally: Tally, confidence: float, ties: Ties) -> Whose:
    """By the same rule as the win rate: fewer than 5 speak for themselves alone."""
    counted = tally.counted(ties)
    return Whose(counted.annotator_count, counted.annotators_margin(confidence))


def looked(found: Sequence[seen.Look], who: Whose, confidence: float) -> list[Look]:
    """Both intervals at each look that did not come too early."""
    enough = [look for look in found if look.n >= FIRST_LOOK]
    if not enough:
        return []
    counts = np.stack([look.counts for look in enough])
    always = betting_limits(enough[0].scores, counts, confidence)
    ends = zip(always.low.tolist(), always.high.tolist(), strict=True)
    return [_at(look, end, who.margin or 0.0, confidence)
            for look, end in zip(enough, ends, strict=True)]  # fmt: skip


def _at(look: seen.Look, always: tuple[float, float], margin: float, confidence: float) -> Look:
    ends = widened(look.mean, *always, margin)
    if look.sd == 0:
        return Look(look.n, look.mean, None, None, *ends)
    half = student_quantile(confidence, look.n - 1) * look.sd / look.n**0.5
    once = widened(look.mean, look.mean - half, look.mean + half, margin)
    return Look(look.n, look.mean, *once, *ends)


def watching_document(
    study: Study, tally: Tally, only: queries.Source | None, confidence: float, ties: Ties
) -> dict[str, Any]:
    """The present look, for scripts."""
    found, who = seen.looks(study, only, ties), whose(tally, confidence, ties)
    last = looked(found[-1:], who, confidence)
    if not last:
        none = Undefined(too_few(ties), found[-1].n if found else 0).as_json()
        return {"ties": ties, "looking_once": none, "looking_always": none}
    (look,) = last
    always = Estimate(
        look.value, look.always_low, look.always_high, look.n,
        f"mean of item scores, {who.words}; betting confidence sequence, true at all looks "
        "together",
        confidence,
    )  # fmt: skip
    return {
        "ties": ties,
        "looking_once": _once(look, who, confidence).as_json(),
        "looking_always": always.as_json(),
    }


def _once(look: Look, who: Whose, confidence: float) -> Estimate | Undefined:
    if look.low is None:
        return Undefined("all item scores are equal: no variance to build on", look.n)
    method = f"mean of item scores, {who.words}; ± t·se with {look.n - 1} degrees of freedom"
    return Estimate(look.value, look.low, look.high, look.n, method, confidence)


def planning_document(
    tally: Tally, threshold: float, confidence: float, ties: Ties
) -> dict[str, Any]:
    """What is left until the gate's threshold is settled, and what could have been seen."""
    rate = tally.preferred(confidence, ties)
    return {
        "threshold": threshold,
        "more_judgements": _more(tally, rate, threshold, ties),
        "detectable_win_rate": _detectable(rate, threshold, confidence),
    }


def _more(tally: Tally, rate: Estimate | Undefined, threshold: float, ties: Ties) -> Json:
    if isinstance(rate, Undefined):
        return rate.as_json()
    needed = more_needed(rate, threshold)
    if needed.more is None:
        return Undefined(needed.reason, rate.n).as_json()
    lost = tally.tie_share if ties == "decided" else 0.0
    if lost is None:
        reason = f"how many of them will be ties cannot be told yet; {needed.more} decided ones"
        return Undefined(reason, rate.n).as_json()
    method = "forecast: value, design effect, ties and number of annotators stay as they are"
    return {"value": collected_for(needed.more, lost), "n": rate.n, "method": method}


def _detectable(rate: Estimate | Undefined, threshold: float, confidence: float) -> Json:
    if isinstance(rate, Undefined):
        return rate.as_json()
    votes = int(rate.n / (rate.design_effect or 1.0))
    try:
        least = detectable_share(threshold, votes, (1 - confidence) / 2, POWER)
    except UndefinedError as error:
        return Undefined(error.reason, rate.n).as_json()
    return {
        "value": least,
        "power": POWER,
        "n": rate.n,
        "independent_judgements": votes,
        "method": "least true win rate that so many judgements show to exceed the threshold, exact",
    }
