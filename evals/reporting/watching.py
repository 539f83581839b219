"""While a study runs: what it says to who looks once, and every day, and how far it has to go."""

from typing import Any

from annotate.models import Study
from evals import queries
from evals.figures.preferences import Look
from evals.queries import looks as seen
from evals.stats.distributions import student_quantile
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate, Json, Undefined, attempt
from evals.stats.planning import collected_for, detectable_share, more_needed
from evals.stats.sequential import asymptotic_confidence_sequence
from evals.tallies import Tally, Ties

# The sequence is not to be trusted with fewer items.
FIRST_LOOK = 20
AND: dict[Ties, str] = {"half": "", "decided": " and a decided one"}
POWER = 0.8


def too_few(ties: Ties) -> str:
    """Why nothing is said of looking."""
    return f"fewer than {FIRST_LOOK} items have all of their judgements{AND[ties]}"


def looked(look: seen.Look, confidence: float) -> Look | None:
    """Both intervals at one look; None where it came too early."""
    if look.n < FIRST_LOOK:
        return None
    always = attempt(asymptotic_confidence_sequence, look.mean, look.sd, look.n, 1 - confidence)
    if isinstance(always, Undefined):
        return None
    half = student_quantile(confidence, look.n - 1) * look.sd / look.n**0.5
    low, high = max(0.0, look.mean - half), min(1.0, look.mean + half)
    ends = max(0.0, always.low), min(1.0, always.high)
    return Look(look.n, look.mean, low, high, *ends)


def watching_document(
    study: Study, only: queries.Source | None, confidence: float, ties: Ties
) -> dict[str, Any]:
    """The present look, for scripts."""
    found = seen.looks(study, only, ties)
    last = looked(found[-1], confidence) if found else None
    if last is None:
        items = found[-1].n if found else 0
        equal = items >= FIRST_LOOK
        reason = "all item scores are equal: no variance to build on" if equal else too_few(ties)
        none = Undefined(reason, items).as_json()
        return {"ties": ties, "looking_once": none, "looking_always": none}
    once = Estimate(
        last.value, last.low, last.high, last.n,
        f"mean of item scores; ± t·se with {last.n - 1} degrees of freedom", confidence,
    )  # fmt: skip
    always = Estimate(
        last.value, last.always_low, last.always_high, last.n,
        "mean of item scores; asymptotic confidence sequence, true at all looks together",
        confidence,
    )  # fmt: skip
    return {"ties": ties, "looking_once": once.as_json(), "looking_always": always.as_json()}


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
