"""Items that people disagree on or have flagged, a page at a time, and one item whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import Count, F, Prefetch, Q
from django.db.models.functions import Coalesce, Left
from django.shortcuts import get_object_or_404

from annotate.models import Flag, Item, Judgement, Study, Task
from evals.queries.kept import kept
from evals.queries.parts import parts
from evals.queries.reading import counted_from
from evals.queries.votes import Source, counted_judgements, overall, overall_part

# Of each item the criterion that splits its annotators most evenly.
MOST_SPLIT = """
SELECT DISTINCT ON (item_id) item_id, criterion
FROM (
    SELECT item_id, criterion, position, max(leaning) - min(leaning) AS spread,
           least(count(*) FILTER (WHERE leaning < 0), count(*) FILTER (WHERE leaning > 0)) AS fewer
    FROM votes GROUP BY item_id, criterion, position
) AS split
WHERE fewer > 0 ORDER BY item_id, fewer DESC, spread DESC, position
"""

# Enough of a prompt to find the last thing that was asked in most conversations.
PROMPT_START = 8000


@dataclass(frozen=True, slots=True)
class Listed:
    """An item in a list: the start of its prompt, and what was said of it.

    `preferences` go from the baseline to the candidate, with their strength.
    """

    public_id: UUID
    prompt: str
    category: str
    preferences: Sequence[int]
    most_disputed: str = ""
    flags: Sequence[str] = ()


def can_be_disputed(study: Study, only: Source | None = None) -> bool:
    """Whether any item was judged twice: before that nobody can disagree."""
    return bool((overall(study, only).points[:, :-1].sum(axis=1) > 1).any())


def disputed_items(
    study: Study, only: Source | None = None, *, limit: int = 5, offset: int = 0
) -> tuple[list[Listed], int]:
    """Items with votes for both systems: widest apart first, then most votes.

    Returns
    -------
    list of Listed
    int
        How many there are in all; 0 where `offset` lies beyond the last one.
    """
    items, count = _disputed(study, only, limit, offset)
    return listed_items(study, only, _said_of(study, only, items)), count


@kept
def _disputed(study: Study, only: Source | None, limit: int, offset: int) -> tuple[list[int], int]:
    """Some choose the baseline and some the candidate: ids in order, and how many in all."""
    nothing = np.zeros((0, 3), dtype=np.int64)
    found = [part.disputed for part in parts(study, overall_part, only)]
    item, spread, n = np.concatenate([nothing, *found]).T
    order = np.lexsort((item, -n, -spread))[offset : offset + limit]
    return item[order].tolist(), len(item) if len(order) else 0


def _said_of(study: Study, only: Source | None, items: list[int]) -> dict[int, list[int]]:
    """What was said of these items, in their order."""
    if not items:
        return {}
    rows = counted_from(
        _votes(study, only).filter(item__in=items),
        "SELECT item_id, array_agg(preference ORDER BY preference) FROM votes GROUP BY item_id",
    )
    said = {row[0]: row[1] for row in rows}
    return {item: said.get(item, []) for item in items}


def flagged_count(study: Study) -> int:
    flags = Flag.objects.filter(task__study=study)
    return flags.values("task__item").distinct().count()


def flagged_items(
    study: Study, only: Source | None = None, *, limit: int = 5, offset: int = 0
) -> list[Listed]:
    """Items that somebody flagged, most flags first."""
    items = list(
        Item.objects.filter(study=study, tasks__flags__isnull=False)
        .annotate(flag_count=Count("tasks__flags", filter=Q(tasks__repeats=None)))
        .order_by("-flag_count", "pk")
        .values_list("pk", flat=True)[offset : offset + limit]
    )
    return listed_items(study, only, _said_of(study, only, items))


def listed_items(study: Study, only: Source | None, said: dict[int, list[int]]) -> list[Listed]:
    """The items in the order of `said`, which holds the preferences of each, sorted."""
    shown = Item.objects.filter(pk__in=said).annotate(start=Left("prompt", PROMPT_START))
    items = {row[0]: row[1:] for row in shown.values_list("pk", "public_id", "start", "category")}
    split = _most_split(study, only, list(said))
    flags: dict[Any, list[str]] = {}
    kinds = Flag.objects.filter(task__item__in=said).order_by("kind")
    for item, kind in kinds.values_list("task__item", "kind").distinct():
        flags.setdefault(item, []).append(kind)
    return [
        Listed(*items[pk], preferences, split.get(pk, ""), flags.get(pk, []))
        for pk, preferences in said.items()
    ]


def _most_split(study: Study, only: Source | None, items: list[int]) -> dict[int, str]:
    votes = (
        counted_judgements(study, only)
        .filter(item__in=items, ratings__criterion__isnull=False)
        .values(
            "item_id",
            criterion=F("ratings__criterion__name"),
            position=F("ratings__criterion__position"),
            leaning=Coalesce(
                F("ratings__preference"),
                F("ratings__candidate_score") - F("ratings__baseline_score"),
            ),
        )
    )
    return dict(counted_from(votes, MOST_SPLIT)) if items else {}


def _votes(study: Study, only: Source | None) -> Any:
    return counted_judgements(study, only).values("item_id", "preference")


def item_with_tasks(study: Study, public_id: UUID) -> tuple[Item, list[Task]]:
    """One item and everybody who met it or judged it elsewhere, with all that they said."""
    item = get_object_or_404(Item.objects.select_related("batch"), study=study, public_id=public_id)
    said = Judgement.objects.select_related("annotator").order_by("-version")
    versions = said.prefetch_related("ratings__criterion")
    tasks = (
        Task.objects.handed_out()
        .filter(item=item)
        .filter(Q(annotator__isnull=False) | Q(state=Task.State.IMPORTED))
        .select_related("annotator")
        .prefetch_related("flags", Prefetch("judgements", queryset=versions))
        .order_by("claimed_at", "slot")
    )
    return item, list(tasks)
