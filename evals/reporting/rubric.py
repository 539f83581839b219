"""Criteria by the names that people read."""

from collections.abc import Container

from annotate.models import Criterion, Study


def criterion_names(study: Study, answered: Container[int]) -> dict[int, str]:
    """The criteria that are asked or have been answered, in the order of the rubric.

    Of two with the same name each says its key too.
    """
    asked = Criterion.objects.filter(study=study).order_by("position")
    shown = [c for c in asked if c.kind != Criterion.Kind.OFF or c.pk in answered]
    names = [criterion.name for criterion in shown]
    return {c.pk: c.name if names.count(c.name) == 1 else f"{c.name} ({c.key})" for c in shown}
