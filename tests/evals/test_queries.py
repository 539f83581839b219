"""What the database counts is what a recount in Python finds."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import pytest

from annotate.models import Judgement, Rating, Study, Task
from evals import queries
from evals.tallies import Tally
from tests.evals.simulation import judge_slots, judged_study, mirror
from tests.factories import make_batch, make_study, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[1, 3], ids=["one block", "three blocks"])
def study(request: pytest.FixtureRequest) -> Study:
    return judged_study(items=30, annotators=5, blocks=request.param)


def counted(study: Study) -> list[Judgement]:
    return list(
        Judgement.objects.select_related("task__item", "annotator").filter(
            study=study, task__state="judged"
        )
    )


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


def recount(votes: Sequence[tuple[object, object, int]]) -> tuple[Counter[object], Counter[object]]:
    """How many items, and annotators, have so many (losses, ties, wins)."""
    items: dict[object, Counter[int]] = {}
    people: dict[object, Counter[int]] = {}
    for item, who, said in votes:
        items.setdefault(item, Counter())[sign(said)] += 1
        people.setdefault(who, Counter())[sign(said)] += 1
    return _kinds(items), _kinds(people)


def _kinds(groups: dict[object, Counter[int]]) -> Counter[object]:
    return Counter((kinds[-1], kinds[0], kinds[1]) for kinds in groups.values())


def as_counted(rows: object) -> Counter[object]:
    found: Counter[object] = Counter()
    for losses, ties, wins, times in rows.tolist():  # type: ignore[attr-defined]
        if losses + ties + wins:
            found[losses, ties, wins] += times
    return found


def assert_tally(tally: Tally, votes: Sequence[tuple[object, object, int]]) -> None:
    items, people = recount(votes)
    assert as_counted(tally.items) == items
    assert as_counted(tally.annotators) == people
    assert tally.totals == tuple(
        sum(sign(vote[2]) == kind for vote in votes) for kind in (-1, 0, 1)
    )


def test_overall_votes_are_those_of_a_recount(study: Study) -> None:
    judgements = counted(study)

    votes = queries.sided_votes(study)

    assert_tally(
        votes.overall, [(j.task.item_id, j.annotator_id, j.preference) for j in judgements]
    )
    assert votes.overall.both_bad == sum(j.both_bad for j in judgements)
    assert votes.overall.n == len(judgements) == 90


def test_votes_by_category_are_those_of_a_recount(study: Study) -> None:
    judgements = counted(study)

    by_category = queries.sided_votes(study).by_category()

    assert set(by_category) == {"general", "billing"}
    for name, tally in by_category.items():
        mine = [j for j in judgements if j.task.item.category == name]
        assert_tally(tally, [(j.task.item_id, j.annotator_id, j.preference) for j in mine])
        assert tally.both_bad == sum(j.both_bad for j in mine)


def test_votes_by_side_and_left_choices_are_those_of_a_recount(study: Study) -> None:
    judgements = counted(study)

    votes = queries.sided_votes(study)

    for side, tally in zip(("left", "right"), votes.by_side, strict=True):
        mine = [j for j in judgements if j.candidate_side == side]
        assert_tally(tally, [(j.task.item_id, j.annotator_id, j.preference) for j in mine])
    decided = [j for j in judgements if j.choice]
    assert_tally(votes.left, [(j.task.item_id, j.annotator_id, -(j.choice or 0)) for j in decided])


def test_what_each_annotator_said_is_that_of_a_recount(study: Study) -> None:
    judgements = counted(study)

    each = queries.sided_votes(study).each_annotator

    assert len(each) == 5
    for who, votes in each.items():
        mine = [j for j in judgements if j.annotator_id == who]
        assert (votes.losses, votes.ties, votes.wins) == tuple(
            sum(sign(j.preference) == kind for j in mine) for kind in (-1, 0, 1)
        )
        assert votes.left == sum((j.choice or 0) < 0 for j in mine)
        assert votes.right == sum((j.choice or 0) > 0 for j in mine)
        assert votes.both_bad == sum(j.both_bad for j in mine)


def test_votes_by_criterion_are_those_of_a_recount(study: Study) -> None:
    tallies = {key: one.tally for key, one in queries.criterion_votes(study).items()}

    assert len(tallies) == 2
    for criterion in study.criteria.all():
        ratings = Rating.objects.filter(criterion=criterion).select_related("judgement__task")
        votes = [
            (
                r.judgement.task.item_id,
                r.judgement.annotator_id,
                r.preference
                if r.preference is not None
                else (r.candidate_score or 0) - (r.baseline_score or 0),
            )
            for r in ratings
        ]
        assert_tally(tallies[criterion.pk], votes)


def test_mean_scores_are_of_scored_criteria_only(study: Study) -> None:
    scored = study.criteria.get(kind="score")
    ratings = list(scored.ratings.all())

    found = queries.criterion_votes(study)
    means = {key: one.mean_scores for key, one in found.items() if one.mean_scores}

    assert set(means) == {scored.pk}
    baseline, candidate = means[scored.pk]
    assert baseline == pytest.approx(sum(r.baseline_score or 0 for r in ratings) / len(ratings))
    assert candidate == pytest.approx(sum(r.candidate_score or 0 for r in ratings) / len(ratings))


def test_pair_tables_are_those_of_a_recount(study: Study) -> None:
    by_item: dict[object, list[Judgement]] = {}
    for judgement in counted(study):
        by_item.setdefault(judgement.task.item_id, []).append(judgement)
    expected: Counter[object] = Counter()
    for judgements in by_item.values():
        for first, second in combinations(sorted(judgements, key=lambda j: j.annotator_id), 2):
            expected[
                first.annotator_id,
                second.annotator_id,
                sign(first.preference) + 1,
                sign(second.preference) + 1,
            ] += 1

    pairs, tables = queries.pair_tables(study)

    assert {
        (*pair, row, column): int(table[row, column])
        for pair, table in zip(pairs, tables, strict=True)
        for row in range(3)
        for column in range(3)
        if table[row, column]
    } == expected


def test_agreement_with_others_is_that_of_a_recount(study: Study) -> None:
    by_item: dict[object, list[Judgement]] = {}
    for judgement in counted(study):
        by_item.setdefault(judgement.task.item_id, []).append(judgement)
    expected: dict[object, Counter[object]] = {}
    for judgements in by_item.values():
        for mine in judgements:
            same = sum(sign(j.preference) == sign(mine.preference) for j in judgements) - 1
            expected.setdefault(mine.annotator_id, Counter())[len(judgements) - 1, same] += 1

    found = queries.agreement_with_others(study)

    assert {
        who: {tuple(row[:2]): row[2] for row in rows.tolist()} for who, rows in found.items()
    } == expected


def test_corrected_skipped_and_surplus_judgements_do_not_count(study: Study) -> None:
    before = queries.sided_votes(study).overall.totals
    judgement = counted(study)[0]
    Task.objects.filter(pk=judgement.task_id).update(version=2)
    Judgement.objects.create(
        **{
            field: getattr(judgement, field)
            for field in ("study", "task", "annotator", "candidate_side", "scale")
        },
        version=2,
        choice=0,
        preference=0,
        submission_key="0b9a3e0e-7c3f-4f3e-9d0b-0a6f0a0f0a0f",
        payload_digest="1" * 64,
    )
    surplus = next(one for one in counted(study) if one.task_id != judgement.task_id)
    Task.objects.filter(pk=surplus.task_id).update(state="surplus")

    after = queries.sided_votes(study).overall.totals

    expected = list(before)
    expected[sign(judgement.preference) + 1] -= 1
    expected[1] += 1
    expected[sign(surplus.preference) + 1] -= 1
    assert after == tuple(expected)


def test_sources_are_kept_apart_on_request() -> None:
    study = make_study(overlap=2)
    people = [make_user("Blind one"), make_user("Elsewhere")]
    make_batch(study, 10)
    judge_slots(study, people, seed=3, share=0.5)
    blind = Judgement.objects.count()
    judge_slots(study, people, seed=4, source="imported")

    assert queries.sided_votes(study, "blind").overall.n == blind
    assert queries.sided_votes(study, "imported").overall.n == 20 - blind
    assert queries.sided_votes(study).overall.n == 20


def test_a_study_without_judgements_counts_nothing() -> None:
    study = make_study()
    make_batch(study, 3)

    votes = queries.sided_votes(study)

    assert votes.overall.totals == (0, 0, 0)
    assert votes.by_category() == {}
    assert votes.each_annotator == {}
    assert queries.criterion_votes(study) == {}
    assert queries.pair_tables(study)[0] == []


def test_other_studies_are_left_out(study: Study) -> None:
    mine = queries.sided_votes(study).overall.totals
    mirror(study)

    assert queries.sided_votes(study).overall.totals == mine
