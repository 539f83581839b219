"""Agreement as counted in the database is what a recount in Python finds."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import combinations

import numpy as np
import pytest
from django.utils import timezone

from annotate.models import Judgement, Rating, Study, Task
from evals.queries import agreement as counts
from evals.queries import together
from evals.queries.agreement_criteria import criterion_kinds
from evals.queries.agreement_items import CellAsked, cell_items
from evals.queries.others import votes_with_others
from evals.reporting.agreement.counted import on_winner, read, scale_of, tables_on
from evals.stats.checks import Floats
from tests.evals.simulation import judge_slots, judged_study
from tests.factories import make_batch, make_study, make_user, rows_of

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[1, 3], ids=["one block", "three blocks"])
def study(request: pytest.FixtureRequest) -> Study:
    return judged_study(items=40, annotators=5, scale=7, blocks=request.param)


def counted(study: Study) -> list[Judgement]:
    judgements = Judgement.objects.select_related("task__item", "annotator")
    return list(judgements.filter(study=study, task__state="judged"))


def by_item(study: Study) -> dict[int, list[Judgement]]:
    found: dict[int, list[Judgement]] = {}
    for judgement in counted(study):
        found.setdefault(judgement.task.item_id, []).append(judgement)
    return found


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


def kinds(items: Sequence[Sequence[Judgement]]) -> Counter[tuple[int, ...]]:
    return Counter(
        tuple(sum(j.preference == point for j in item) for point in range(-3, 4)) for item in items
    )


def as_counter(rows: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> Counter[tuple[int, ...]]:
    found: Counter[tuple[int, ...]] = Counter()
    for *row, times in rows.tolist():
        found[tuple(row)] += times
    return found


def test_kinds_of_items_are_those_of_a_recount(study: Study) -> None:
    found = counts.item_kinds(study)

    assert as_counter(found.rows) == kinds(list(by_item(study).values()))
    assert found.both_bad == sum(j.both_bad for j in counted(study))
    assert found.scales == (7, 7)
    assert counts.scales_judged_on(study) == (7, 7)


def test_parts_are_those_of_a_recount(study: Study) -> None:
    items = list(by_item(study).values())

    found = counts.item_parts(study)

    assert as_counter(found.kinds.rows) == kinds(items)
    assert found.kinds.scales == (7, 7)
    assert set(found.categories) == {"general", "billing"}
    for name, rows in found.categories.items():
        mine = [item for item in items if item[0].task.item.category == name]
        assert as_counter(rows) == kinds(mine)
    assert set(found.batches) == set(study.batches.values_list("pk", flat=True))
    for batch, rows in found.batches.items():
        of_batch = [item for item in items if item[0].task.item.batch_id == batch]
        assert as_counter(rows) == kinds(of_batch)
    everything: Counter[tuple[int, ...]] = Counter()
    for rows in found.apart.values():
        everything += as_counter(rows)
    assert everything == kinds(items)


def test_lengths_are_told_apart_by_their_ratio() -> None:
    people = [make_user(), make_user()]
    study = make_study(overlap=2, annotators=people)
    lengths = [(100, 90), (100, 89), (51, 100), (50, 100), (5, 30)]
    rows = [
        row | {"baseline_output": "x" * a, "candidate_output": "y" * b}
        for row, (a, b) in zip(rows_of(5), lengths, strict=True)
    ]
    make_batch(study, rows)
    judge_slots(study, people)

    found = counts.item_parts(study).apart

    assert {key: int(part[:, -1].sum()) for key, part in found.items()} == {0: 1, 1: 2, 2: 2}


def test_periods_hold_equally_many_items_in_order_of_time() -> None:
    study = judged_study(items=120, annotators=3)
    start = timezone.now() - timedelta(days=30)
    for number, item in enumerate(study.items.order_by("-pk")):
        Task.objects.filter(item=item).update(judged_at=start + timedelta(hours=number))

    first, second = counts.item_parts(study).periods

    assert int(first.rows[:, -1].sum()) == int(second.rows[:, -1].sum()) == 60
    assert first.first == start
    assert first.last == start + timedelta(hours=59)
    assert second.first == start + timedelta(hours=60)
    latest = list(study.items.order_by("-pk")[:60])
    items = by_item(study)
    assert as_counter(first.rows) == kinds([items[item.pk] for item in latest])


# Beyond so many pairs of people each pair is searched for instead of looked up.
@pytest.fixture(params=[together.MOST_PLACES, 1])
def places(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "MOST_PLACES", request.param)


@pytest.mark.usefixtures("places")
def test_pairs_are_those_of_a_recount_on_all_points(study: Study) -> None:
    expected: Counter[object] = Counter()
    for item in by_item(study).values():
        for one, other in combinations(sorted(item, key=lambda j: j.annotator_id), 2):
            expected[
                one.annotator_id, other.annotator_id, one.preference + 3, other.preference + 3
            ] += 1

    found = counts.pair_points(study)

    assert {
        (*found.pairs[pair], row, column): int(found.tables[pair, row, column])
        for pair, row, column in np.argwhere(found.tables)
    } == expected


@pytest.mark.usefixtures("places")
def test_squares_by_item_are_those_of_a_recount(study: Study) -> None:
    found = counts.pair_points(study)
    weights: list[Floats] = [
        np.random.default_rng(seed).normal(size=found.tables.shape) for seed in range(3)
    ]
    index = {pair: number for number, pair in enumerate(found.pairs)}
    expected = np.zeros(3)
    for item in by_item(study).values():
        sums = np.zeros(3)
        for one, other in combinations(sorted(item, key=lambda j: j.annotator_id), 2):
            cell = (
                index[one.annotator_id, other.annotator_id],
                one.preference + 3,
                other.preference + 3,
            )
            sums += [weight[cell] for weight in weights]
        expected += sums**2

    items, squares = counts.squares_by_item(study, None, found, weights)

    assert items == 40
    assert squares == pytest.approx(expected.tolist())


def test_votes_with_others_are_those_of_a_recount(study: Study) -> None:
    expected: dict[object, Counter[tuple[int, ...]]] = {}
    for item in by_item(study).values():
        for mine in item:
            others = Counter(sign(j.preference) for j in item if j is not mine)
            row = (sign(mine.preference) + 1, others[-1], others[0], others[1])
            expected.setdefault(mine.annotator_id, Counter())[row] += 1

    found = votes_with_others(study)

    assert {who: as_counter(rows) for who, rows in found.items()} == expected


def test_criteria_are_those_of_a_recount(study: Study) -> None:
    found = criterion_kinds(study)

    for criterion in study.criteria.all():
        ratings: dict[int, list[Rating]] = {}
        for rating in Rating.objects.filter(criterion=criterion).select_related("judgement__task"):
            ratings.setdefault(rating.judgement.task.item_id, []).append(rating)
        won: Counter[tuple[int, ...]] = Counter()
        split: Counter[tuple[int, ...]] = Counter()
        for item in ratings.values():
            said = [(leaning(r), sign(r.judgement.preference)) for r in item]
            won[tuple(sum(one[0] == kind for one in said) for kind in (-1, 0, 1))] += 1
            pairs = list(combinations(said, 2))
            split[
                sum(a != c and b != d for (a, b), (c, d) in pairs),
                sum(b != d for (_, b), (_, d) in pairs),
            ] += 1
        assert as_counter(found[criterion.pk].items) == won
        assert as_counter(found[criterion.pk].split) == split


def leaning(rating: Rating) -> int:
    if rating.preference is not None:
        return sign(rating.preference)
    return sign((rating.candidate_score or 0) - (rating.baseline_score or 0))


def test_scores_are_those_of_a_recount_for_scored_criteria_alone(study: Study) -> None:
    found = criterion_kinds(study)

    for criterion in study.criteria.all():
        scores = found[criterion.pk].scores
        assert set(scores) == ({"baseline", "candidate"} if criterion.kind == "score" else set())
        for system, rows in scores.items():
            given: dict[int, list[int]] = {}
            for rating in criterion.ratings.select_related("judgement__task"):
                item = rating.judgement.task.item_id
                given.setdefault(item, []).append(getattr(rating, f"{system}_score"))
            assert as_counter(rows) == Counter(
                tuple(said.count(score) for score in range(1, 6)) for said in given.values()
            )


def test_cells_lead_to_exactly_their_items(study: Study) -> None:
    found = counts.pair_points(study)
    items = by_item(study)
    (one, other), table = found.pairs[0], found.tables[0]

    for exact, reach in ((True, 3), (False, 1)):
        points = table if exact else tables_on(table[None], 3)[0]
        for mine in range(-reach, reach + 1):
            for theirs in range(-reach, reach + 1):
                asked = CellAsked(one, other, mine, theirs, exact=exact)
                listed, follows = cell_items(study, None, asked, limit=100)
                assert len(listed) == points[mine + reach, theirs + reach]
                assert follows is None
                for row in listed:
                    (item,) = [
                        i for i in items.values() if i[0].task.item.public_id == row.public_id
                    ]
                    said = {j.annotator_id: j.preference for j in item}
                    pair = (said[one], said[other])
                    assert (
                        pair == (mine, theirs)
                        if exact
                        else tuple(map(sign, pair))
                        == (
                            mine,
                            theirs,
                        )
                    )


def test_cells_against_the_majority_lead_to_exactly_their_items(study: Study) -> None:
    who, rows = next(iter(votes_with_others(study).items()))
    expected: Counter[tuple[int, int | None]] = Counter()
    for own, *others, times in rows.tolist():
        if sum(others):
            top = [kind for kind in range(3) if others[kind] == max(others)]
            expected[own - 1, top[0] - 1 if len(top) == 1 else None] += times

    for mine in (-1, 0, 1):
        for theirs in (-1, 0, 1, None):
            asked = CellAsked(who, None, mine, theirs)
            listed, _ = cell_items(study, None, asked, limit=100)
            assert len(listed) == expected[mine, theirs]


def test_pages_of_a_cell_follow_one_another() -> None:
    study = judged_study(items=60, annotators=2, overlap=2)
    one, other = counts.pair_points(study).pairs[0]
    asked = CellAsked(one, other, 1, 1)
    whole, _ = cell_items(study, None, asked, limit=100)

    pieces, after = [], 0
    while True:
        piece, follows = cell_items(study, None, asked, after=after, limit=4)
        pieces += piece
        if follows is None:
            break
        after = follows

    assert len(whole) > 8
    assert pieces == whole


def test_a_mixed_scale_leaves_who_won(study: Study) -> None:
    task = study.tasks.filter(state="judged").first()
    assert task is not None
    Task.objects.filter(pk=task.pk).update(version=2)
    old = task.judgements.get()
    Judgement.objects.create(
        study=study, task=task, annotator=old.annotator, version=2, scale=3, choice=0,
        candidate_side=old.candidate_side, preference=0, submission_key=task.pk,
        payload_digest="0" * 64,
    )  # fmt: skip

    found = read(study)

    assert found.kinds.scales == (3, 7)
    assert found.scale.points == 3
    assert found.scale.why.startswith("judgements were made on scales of 3 to 7 points")
    assert scale_of((5, 5)).points == 5
    assert scale_of(None).points == 3


def test_nothing_judged_counts_nothing() -> None:
    study = make_study(criteria=[("safety", "comparative")])
    make_batch(study, 2)

    found = read(study)

    assert len(on_winner(found.kinds.rows)) == 0
    assert counts.scales_judged_on(study) is None
    assert not counts.item_parts(study).periods
    assert not counts.item_parts(study).categories
    assert criterion_kinds(study) == {}
    assert not found.pairs
