"""Sides over tens of thousands of tasks: balanced for everybody, and no pattern to learn.

Annotators are simulated the way tasks are handed out: by rank, to whoever asks next.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from uuid import uuid4

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from annotate.blinding import Side, blind, blind_scores, unblind, unblind_scores
from annotate.models import Batch, Item, Study, Task
from annotate.slots import add_slots, make_tasks
from tests.factories import make_study

CATEGORIES = ("billing", "shipping", "returns", "other")
ITEMS = 10_000


@dataclass(frozen=True, slots=True)
class Drawn:
    """A task as it was drawn, in the order of the queue."""

    item: int
    category: str
    slot: int
    is_left: bool


def study_of(items: int, overlap: int, seed: int = 24) -> Study:
    study = make_study("Sides", overlap=overlap, seed=seed)
    batch = Batch.objects.create(
        study=study, number=1, name="b", format="csv", digest=uuid4().hex, item_count=items
    )
    Item.objects.bulk_create(
        Item(
            study=study,
            batch=batch,
            position=position,
            prompt="p",
            category=CATEGORIES[position * 7 // 3 % len(CATEGORIES)],
        )
        for position in range(1, items + 1)
    )
    make_tasks(batch)
    return study


def queue(study: Study) -> list[Drawn]:
    rows = Task.objects.filter(study=study).order_by("rank")
    found = rows.values_list("item__position", "item__category", "slot", "candidate_side")
    return [Drawn(item, category, slot, side == "left") for item, category, slot, side in found]


def handed_out(tasks: Sequence[Drawn], people: int, chance: random.Random) -> list[list[Drawn]]:
    """Who gets what: whoever asks takes the first task of an item that they have not met."""
    got: list[list[Drawn]] = [[] for _ in range(people)]
    met: list[set[int]] = [set() for _ in range(people)]
    waiting: list[Drawn] = []
    for task in tasks:
        waiting.append(task)
        # Some are faster than others, and nobody is far ahead.
        while len(waiting) > 4 * people:
            take_next(chance.randrange(people), waiting, got, met)
    stuck = 0
    while waiting and stuck < 50 * people:
        stuck = 0 if take_next(chance.randrange(people), waiting, got, met) else stuck + 1
    return got


def take_next(who: int, waiting: list[Drawn], got: list[list[Drawn]], met: list[set[int]]) -> bool:
    for place, task in enumerate(waiting):
        if task.item not in met[who]:
            met[who].add(task.item)
            got[who].append(waiting.pop(place))
            return True
    return False


def share_left(tasks: Iterable[Drawn]) -> float:
    sides = [task.is_left for task in tasks]
    return sum(sides) / len(sides)


def four_sigma(tasks: Sequence[Drawn]) -> float:
    """Of a fair coin: 0.02 for 10,000 tasks."""
    return 4 * 0.5 / sqrt(len(tasks))


def pattern(tasks: Sequence[Drawn], lag: int) -> float:
    """How well a side is told by the one `lag` tasks before: 0 not at all, 1 or -1 surely."""
    signs = [1 if task.is_left else -1 for task in tasks]
    pairs = list(zip(signs, signs[lag:], strict=False))
    return sum(before * after for before, after in pairs) / len(pairs)


def groups(tasks: Iterable[Drawn], by: str) -> dict[object, list[Drawn]]:
    found: dict[object, list[Drawn]] = defaultdict(list)
    for task in tasks:
        found[task.category if by == "category" else getattr(task, by) % 2].append(task)
    return found


def assert_no_pattern(tasks: Sequence[Drawn]) -> None:
    for lag in (1, 2, 3, 4, 5, 6):
        assert abs(pattern(tasks, lag)) < 4 / sqrt(len(tasks)), f"{lag} tasks apart"
    # Nor is it one side for a while and then the other.
    tenth = len(tasks) // 10
    for start in range(0, tenth * 10, tenth):
        part = tasks[start : start + tenth]
        assert abs(share_left(part) - 0.5) < four_sigma(part), f"from {start}"


@pytest.mark.django_db
@pytest.mark.parametrize("overlap", [1, 2, 3])
def test_sides_are_balanced_for_everybody_and_show_no_pattern(overlap: int) -> None:
    tasks = queue(study_of(ITEMS, overlap))
    assert len(tasks) == ITEMS * overlap
    assert 0.48 <= share_left(tasks) <= 0.52
    assert abs(sum(1 if task.is_left else -1 for task in tasks)) <= 1

    for by in ("category", "item", "slot"):
        for name, some in groups(tasks, by).items():
            assert abs(share_left(some) - 0.5) < four_sigma(some), f"{by} {name}"
    for mine in handed_out(tasks, overlap, random.Random(1)):
        assert 0.48 <= share_left(mine) <= 0.52
        assert_no_pattern(mine)


@pytest.mark.django_db
@pytest.mark.parametrize(("old", "new"), [(1, 2), (2, 3)])
def test_slots_of_a_higher_overlap_show_no_pattern(old: int, new: int) -> None:
    study = study_of(ITEMS, old)
    count = ITEMS * old
    add_slots(study, old, new)

    added = queue(study)[count:]

    assert len(added) == ITEMS * (new - old)
    assert abs(share_left(added) - 0.5) < four_sigma(added)
    assert_no_pattern(added)


@pytest.mark.django_db
def test_sides_of_ten_thousand_items_come_from_the_seed_alone() -> None:
    assert queue(study_of(ITEMS, 1, seed=3)) == queue(study_of(ITEMS, 1, seed=3))


@pytest.mark.django_db
def test_sides_that_take_turns_are_found_out() -> None:
    study = study_of(ITEMS, 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE annotate_task SET candidate_side = CASE WHEN rank %% 2 = 0 THEN 'left' "
            "ELSE 'right' END WHERE study_id = %s",
            [study.pk],
        )

    with pytest.raises(AssertionError, match="1 tasks apart"):
        assert_no_pattern(queue(study))


SIDES = st.sampled_from(list(Side))


@settings(max_examples=10_000, deadline=None)
@given(SIDES, st.integers(-3, 3), st.integers(1, 5), st.integers(1, 5))
def test_whoever_goes_by_the_text_prefers_the_same_system_on_either_side(
    side: Side, liking: int, for_baseline: int, for_candidate: int
) -> None:
    """`liking` is for the candidate's text, wherever it stands; negative for the other one."""
    pair = blind("?", "BASELINE", "CANDIDATE", side)
    choice = liking if pair.right == "CANDIDATE" else -liking
    scores = {"BASELINE": for_baseline, "CANDIDATE": for_candidate}
    seen = scores[pair.left], scores[pair.right]

    found = unblind_scores(*seen, side)

    assert {pair.left, pair.right} == set(scores)
    assert unblind(choice, side) == liking
    assert (found.baseline, found.candidate) == (for_baseline, for_candidate)
    assert blind_scores(found.baseline, found.candidate, side) == seen
