"""Criteria by the names that people read."""

from collections.abc import Container

from annotate.models import Criterion, Study
from evals import queries


def criterion_names(study: Study, answered: Container[int]) -> dict[int, str]:
    """The criteria that are asked or have been answered, in the order of the rubric.

    Of two with the same name each says its key too.
    """
    shown = _shown(study, answered)
    names = [criterion.name for criterion in shown]
    return {c.pk: c.name if names.count(c.name) == 1 else f"{c.name} ({c.key})" for c in shown}


def criteria_asked(study: Study, only: queries.Source | None) -> list[Criterion]:
    """The same as rows, told by their keys."""
    return _shown(study, queries.criterion_votes(study, only))


def _shown(study: Study, answered: Container[int]) -> list[Criterion]:
    asked = Criterion.objects.filter(study=study).order_by("position")
    return [c for c in asked if c.kind != Criterion.Kind.OFF or c.pk in answered]
