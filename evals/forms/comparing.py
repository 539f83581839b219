"""Which runs, which cases: the words that addresses of comparisons may carry."""

from collections.abc import Sequence
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest

from annotate.models import Study
from evals.comparing import ScorerGroups
from evals.forms.looking import chosen
from evals.models import Suite
from evals.queries.compared_cases import OUTCOMES, Looking
from evals.queries.run_facts import ScorerCells
from evals.queries.runs import RunPair, chosen_pair, latest_pair

SPLITS = ("", "target", "general")
# What is looked for in texts; longer words find nothing that shorter ones do not.
MOST_WORDS = 200
LARGEST = 2**31 - 2


def suite_of(study: Study, suite_id: int) -> Suite:
    """A version of a suite that the study has runs of; any other is not there."""
    suite = Suite.objects.filter(pk=suite_id, runs__study=study).distinct().first()
    if suite is None:
        raise Http404
    return suite


def pair_asked_for(request: HttpRequest, study: Study, suite: Suite) -> RunPair | None:
    """The two runs that an address names, or else the latest; None where a side has none."""
    numbers = [_number(request, system) for system in ("baseline", "candidate")]
    baseline, candidate = numbers
    if baseline is None and candidate is None:
        return latest_pair(study, suite.name, suite.version)
    if baseline is None or candidate is None:
        raise BadRequest("baseline, candidate: name both runs, or none.")
    pair = chosen_pair(study, suite, baseline, candidate)
    if pair is None:
        raise BadRequest(
            f"Runs {baseline} and {candidate} are not finished runs of the baseline and of the "
            "candidate on this suite."
        )
    return pair


def _number(request: HttpRequest, name: str, most: int = LARGEST) -> int | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= most):
        raise BadRequest(f"{name}: write a number.")
    return int(text)


def runs_named(request: HttpRequest) -> dict[str, str]:
    """The runs as the address names them, to be kept in the links of its page."""
    return {
        system: request.GET[system]
        for system in ("baseline", "candidate")
        if request.GET.get(system)
    }


def scorer_asked_for(request: HttpRequest, scorers: Sequence[ScorerGroups]) -> ScorerGroups | None:
    """The scorer whose values a page shows; None for passing by cases' own scorers."""
    slug = request.GET.get("scorer", "")
    if not slug:
        return None
    found = next((one for one in scorers if one.slug == slug), None)
    if found is None:
        raise BadRequest("scorer: no such scorer looked at these runs.")
    return found


def looking_asked_for(request: HttpRequest, scorer: ScorerCells | None) -> Looking:
    """Which cases a list shows."""
    words = request.GET.get("q", "").strip()
    if len(words) > MOST_WORDS or "\x00" in words:
        raise BadRequest(f"q: write at most {MOST_WORDS} characters.")
    # Without the parameter every category, with an empty one the cases that have none.
    category = request.GET.get("category")
    return Looking(
        show=chosen(request, "show", tuple(OUTCOMES), "all"),
        category=None if category in (None, "*") else category[:1000].replace("\x00", ""),
        split=chosen(request, "split", SPLITS, "") or None,
        words=words,
        scorer=scorer.key if scorer else 0,
        scorer_name=scorer.name if scorer else "",
    )


def page_asked_for(request: HttpRequest) -> tuple[int | None, int | None]:
    """After and before which position a page of a list lies."""
    return _number(request, "after"), _number(request, "before")


def address_of(request: HttpRequest, looking: Looking, **changed: str) -> str:
    """The same list in an address, with some words changed; empty ones are left out."""
    told = {
        **runs_named(request),
        "show": "" if looking.show == "all" else looking.show,
        "split": looking.split or "",
        "q": looking.words,
        "scorer": request.GET.get("scorer", ""),
        **changed,
    }
    kept = {name: value for name, value in told.items() if value}
    if looking.category is not None:
        kept["category"] = looking.category
    return urlencode(kept)
