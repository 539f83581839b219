"""Which cell of which confusion table an address asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest

from annotate.models import Criterion, Judgement, Study, User
from evals.forms.looking import chosen, chosen_source
from evals.queries.agreement_items import CellAsked
from evals.reporting.agreement.confusion import NO_MAJORITY, OTHERS, Asked

BY = ("winner", "strength")
LARGEST_KEY = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell, and after which item its list goes on."""

    asked: CellAsked
    mine: int
    theirs: int | None
    after: int


def names_a_pair(request: HttpRequest) -> bool:
    """Whether an address says who against whom."""
    return "one" in request.GET


def chosen_pair(request: HttpRequest, study: Study) -> Asked:
    """Two annotators of this study, or one against all others.

    Raises
    ------
    Http404
        If nobody of this id has judged in the study, or both are the same.
    """
    one = _annotator(request, "one", study)
    other = (
        None if request.GET.get("other", OTHERS) == OTHERS else _annotator(request, "other", study)
    )
    if one == other:
        raise Http404
    by = chosen(request, "by", BY, BY[0]) if other else BY[0]
    return Asked(one, other, chosen_source(request), by)


def chosen_criterion(request: HttpRequest, criteria: Sequence[Criterion]) -> Criterion | None:
    """The criterion that an address names by its key; None for the overall question."""
    known = {criterion.key: criterion for criterion in criteria}
    return known.get(chosen(request, "criterion", ("", *known), ""))


def _annotator(request: HttpRequest, name: str, study: Study) -> User:
    try:
        key = UUID(request.GET[name])
    except (KeyError, ValueError):
        raise BadRequest(f"{name}: write the id of an annotator.") from None
    judged = Judgement.objects.filter(study=study, annotator=key)
    person = User.objects.filter(pk=key).first() if judged.exists() else None
    if person is None:
        raise Http404
    return person


def chosen_cell(request: HttpRequest, study: Study, asked: Asked) -> Cell:
    """The cell of the table of `asked` that an address names."""
    reach = study.max_strength if asked.by == "strength" else 1
    points = [str(point) for point in range(-reach, reach + 1)]
    theirs = [*points, NO_MAJORITY] if asked.other is None else points
    mine, other = _point(request, "mine", points), _point(request, "theirs", theirs)
    if mine is None:
        raise BadRequest("mine: write a point of the scale.")
    cell = CellAsked(
        asked.one.pk,
        asked.other.pk if asked.other else None,
        mine,
        other,
        exact=asked.by == "strength",
    )
    return Cell(cell, mine, other, _after(request))


def _point(request: HttpRequest, name: str, allowed: list[str]) -> int | None:
    value = chosen(request, name, allowed, "")
    return None if value == NO_MAJORITY else int(value)


def _after(request: HttpRequest) -> int:
    text = request.GET.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= LARGEST_KEY):
        raise BadRequest("after: write the number that a page of this list gave.")
    return int(text)
