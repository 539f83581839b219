"""Judges beside people, from rows: verdicts counted in the database, the page, the command."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotate.models import Item, Study, User
from evals import deciding
from evals.gate import DEFAULT_GATES
from evals.model_judge import judge_cases, verdicts
from evals.models import Run
from evals.pairing import batch_from_runs
from evals.queries.judged import judge_leaning, judged_items
from evals.reporting.judging import Standing, standing
from evals.reporting.model_judges import judge_run, judge_runs
from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined
from evals.stats.judge_standing import kappa_gap, may_replace
from evals.stats.judged_rates import people_alone, with_the_judge
from evals.stats.judges import PoweredMean
from evals.stats.kappa import cohen_kappa
from tests.evals.judging_inputs import Pair, drawn_pairs, items_of, judged_runs, let_judge
from tests.evals.simulation import judge_slots
from tests.evals.test_judge_standing import pandalm
from tests.evals.test_model_judge import answer, empty_run, judge, make_pair
from tests.factories import make_study, make_user

LEANS = {"candidate": 1.0, "tie": 0.0, "baseline": -1.0}
__all__ = ["pandalm"]


@pytest.fixture
def people(db: None) -> list[User]:
    return [make_user(name) for name in ("Ada", "Ben", "Cleo")]


def make_judged(people: list[User], pairs: list[Pair], **fields: Any) -> tuple[Study, Run]:
    study = make_study(overlap=3, annotators=people, **fields)
    run = judged_runs(study, pairs)
    let_judge(study, people, pairs)
    return study, run


def standing_of(run: Run, **options: Any) -> Standing:
    return standing(judge_run(run), **options)


def test_the_database_reads_verdicts_as_the_judge_s_own_reader_does(people: list[User]) -> None:
    study = make_study(overlap=1, annotators=people)
    written: list[str | None] = [
        "[[A]]", "[[B]]",
        "[[B]]\n", "first [[B]], then\n\n[[ A ]] after all.",
        "[[C]]", "[[C]]",
        "[[A]]", "[[A]]",
        "[[a]]", "[[B]]",
        "[[A]] " + "x" * 5000, "[[\u00a0B\u2003]]",
        None, "[[A]]",
        "", "[[A]]",
        "[[A]][[B]]", "[[AB]] [[A]] [[D]]",
        "[[\n\tB\x1f]]", "[[A]]",
        "[[B]]", "[[A]]",
    ]  # fmt: skip
    pairs: list[tuple[str | None, str | None]] = [("Old.", "New.")] * (len(written) // 2)
    runs = make_pair(study, [*pairs, ("Same.", "Same."), ("Old.", None), (None, "New.")])
    questions = judge_cases(*runs)
    run = empty_run(study, questions, "judge")
    for case, text in zip(questions.cases.order_by("position"), written, strict=True):
        cut_off = {"finish_reason": "max_tokens"} if case.position == len(written) else {}
        answer(run, case, text, **cut_off)
    batch = batch_from_runs(*runs)
    judge_slots(study, people)

    made = judge_run(run).made
    found = judged_items(run, made)
    leaning = {item: leans for item, leans, _ in judge_leaning(run, made)}

    said = {one.case_id: one.winner for one in verdicts(run)}
    items = [(one.pk, str(one.item_id)) for one in Item.objects.filter(batch=batch)]
    assert [leaning.get(pk) for pk, _ in items] == [
        None if said[case] is None else LEANS[str(said[case])] for _, case in items
    ]
    assert {leaning.get(pk) for pk, _ in items} == {None, -1.0, 0.0, 1.0}
    assert found.without_verdict == sum(said[case] is None for _, case in items) == 4
    # What one system did not answer people never see, though the judge knows who is better.
    assert len(items) == len(written) // 2 + 1
    assert found.items.labelled == len(items) - 4


def test_what_comes_out_of_the_database_is_what_went_in(people: list[User]) -> None:
    pairs = [
        Pair(1, (1, 1, 0)), Pair(1, (1, 1, 0)), Pair(-1, (None, 0, -1)), Pair(0, (1, None, None)),
        Pair(None, (1, 1, 1)), Pair(None), Pair(0), Pair(1), Pair(1),
    ]  # fmt: skip
    study, run = make_judged(people, pairs)
    (made,) = judge_runs(study)

    found = judged_items(run, made.made)

    names = [person.name for person in found.annotators]
    assert sorted(names) == ["Ada", "Ben", "Cleo"]
    table = {
        (
            int(judge),
            *(int(found.items.labels[names.index(name), row]) for name in sorted(names)),
        ): n
        for row, (judge, n) in enumerate(zip(found.items.judge, found.items.times, strict=True))
    }
    assert table == {(2, 2, 2, 1): 2, (0, -1, 1, 0): 1, (1, 2, -1, -1): 1}
    assert found.items.unlabelled.tolist() == [0, 1, 2]
    assert (found.without_verdict, found.of_these_judged, found.imported) == (2, 1, 0)


def test_a_good_judge_passes_and_sharpens_the_win_rate(people: list[User]) -> None:
    pairs = drawn_pairs(240, 90)
    _study, run = make_judged(people, pairs)

    found = standing_of(run)

    items = items_of(pairs, 3)
    assert found.passes
    assert isinstance(found.gap, Estimate)
    assert found.gap.value == pytest.approx(kappa_gap(items).value)
    both, expected = found.combined.powered, with_the_judge(items)
    assert isinstance(both, PoweredMean)
    assert (both.value, both.low, both.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    assert found.combined.worth is not None
    assert found.combined.worth > 1.2
    assert [str(one.annotator) for one in found.beside] == ["Ada", "Ben", "Cleo"]
    table = np.zeros((3, 3))
    for pair in pairs[:90]:
        table[int(pair.people[0] or 0) + 1, int(pair.judge or 0) + 1] += 1
    for weights, kappa in found.beside[0].with_judge.kappas.items():
        assert isinstance(kappa, Estimate)
        assert kappa.value == pytest.approx(cohen_kappa(table, weights).value)


def test_people_and_judge_count_ties_by_the_policy(
    people: list[User], lena: User, lena_client: Client
) -> None:
    pairs = drawn_pairs(240, 90)
    study, run = make_judged(people, pairs)
    half = shown(lena_client, study)
    deciding.change_policy(
        study, DEFAULT_GATES, confidence=0.95, ties="decided", made_by=lena, reason="As agreed"
    )

    text = shown(lena_client, study)
    found = report(study.slug, "--run", str(run.number))["win_rate"]

    items = items_of(pairs, 3)
    assert "Win rate, ties half" in half
    assert "Win rate, of decided judgements" in text
    assert "ties of people and judge are left out, as the policy says" in text
    assert found["ties"] == "decided"
    for name, find in (("people", people_alone), ("people_and_judge", with_the_judge)):
        expected = find(items, without_ties=True)
        assert found[name]["value"] == pytest.approx(expected.value)
        assert found[name]["low"] == pytest.approx(expected.low)
        assert wording.percent_number(expected.value) in text


def test_a_poor_judge_adds_nothing_to_the_win_rate(people: list[User]) -> None:
    _, run = make_judged(people, drawn_pairs(160, 80, good=0.1))

    found = standing_of(run)

    assert not found.passes
    assert isinstance(found.combined.powered, Undefined)
    assert found.combined.powered.reason == (
        "the judge has not passed the alternative annotator test: it may stand in for 0 of 3 "
        "annotators, and at least half are needed"
    )
    assert isinstance(found.combined.alone, Estimate)


def test_epsilon_decides_how_close_is_close_enough(people: list[User]) -> None:
    _, run = make_judged(people, drawn_pairs(100, 100, good=0.72, seed=3))

    rates = [standing_of(run, epsilon=epsilon).test for epsilon in (0.0, 0.15, 0.6)]

    assert [rate.value for rate in rates if not isinstance(rate, Undefined)] == sorted(
        rate.value for rate in rates if not isinstance(rate, Undefined)
    )
    assert not standing_of(run, epsilon=0.0).passes
    assert standing_of(run, epsilon=0.6).passes


def test_judgements_made_elsewhere_are_no_random_sample(people: list[User], tmp_path: Path) -> None:
    pairs = drawn_pairs(120, 60)
    study = make_study(overlap=3, annotators=people)
    run = judged_runs(study, pairs)
    rows = [
        f"pair-{number},{person.email},{said}"
        for number, pair in enumerate(pairs, start=1)
        for person, preference in zip(people, pair.people, strict=True)
        if (said := {-1: "baseline", 0: "tie", 1: "candidate", None: ""}[preference])
    ]
    file = tmp_path / "said.csv"
    file.write_text("\n".join(["item_id,annotator,preference", *rows]), encoding="utf-8")
    call_command("import_judgements", study.slug, str(file), stdout=StringIO())

    blind, both = standing_of(run, only="blind"), standing_of(run)

    assert blind.judged.items.labelled == 0
    assert isinstance(blind.combined.alone, Undefined)
    assert both.passes
    assert isinstance(both.combined.powered, Undefined)
    assert "nobody knows whether their items were drawn at random" in both.combined.powered.reason


# The page.


def shown(client: Client, study: Study, **looking: str) -> str:
    response = client.get(reverse("metrics", args=[study.slug]), looking)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_the_page_says_whether_the_judge_may_stand_in(
    people: list[User], lena_client: Client
) -> None:
    study, _ = make_judged(people, drawn_pairs(240, 90))

    text = shown(lena_client, study)

    assert "some-judge</bdi>: it may stand in for people" in text
    assert "ε = 0.15" in text
    assert "People and judge" in text
    assert "With the judge one judged item counts for" in text
    assert "ε = 0.2," in shown(lena_client, study, epsilon="0.2")
    wrong = lena_client.get(reverse("metrics", args=[study.slug]), {"epsilon": "0.5"})
    assert wrong.status_code == 400


def test_the_page_withholds_what_a_poor_judge_would_say(
    people: list[User], lena_client: Client
) -> None:
    study, _ = make_judged(people, drawn_pairs(100, 60, good=0.1))

    text = shown(lena_client, study)

    assert "it may not stand in for people" in text
    assert "The judge’s verdicts are not added: the judge has not passed" in text
    assert "People and judge</span>" not in text
    assert "The judge agrees with people less than they do with each other" in text


def test_the_page_says_what_is_missing(people: list[User], lena_client: Client) -> None:
    study, _ = make_judged(people, drawn_pairs(20, 12))
    other, _ = make_judged([people[0]], drawn_pairs(4, 0), name="Untouched")

    text = shown(lena_client, study)

    assert "whether it may stand in for people cannot be told yet" in text
    assert "it takes three annotators with 30 items each" in text
    assert "the next 3 lack 18, 18 and 18 items" in text
    assert "nobody has judged yet what it judged" in shown(lena_client, other)


def test_the_page_warns_of_judged_items_that_are_no_random_sample(
    people: list[User], lena_client: Client
) -> None:
    picked = [pair for pair in drawn_pairs(300, 300) if pair.judge == 1]
    others = [Pair(pair.judge) for pair in drawn_pairs(200, 0, seed=9)]
    study, _ = make_judged(people, [*picked, *others])
    few, _ = make_judged(people, drawn_pairs(30, 12), name="Few")

    text = shown(lena_client, study)

    assert "these may be no random sample" in text
    few_text = shown(lena_client, few)
    assert "no random sample" not in few_text
    assert "12 items are too few to tell whether the judge agrees as well" in few_text


def test_more_items_and_votes_are_no_more_questions_to_the_database(
    people: list[User], lena_client: Client, django_assert_num_queries: Any
) -> None:
    few, _ = make_judged(people, drawn_pairs(4, 2), name="Few")
    many, _ = make_judged(people, drawn_pairs(60, 40), name="Many")
    shown(lena_client, few)
    with CaptureQueriesContext(connection) as asked:
        shown(lena_client, few)

    with django_assert_num_queries(len(asked)):
        shown(lena_client, many)


# The command.


def report(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("judge_report", *arguments, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_the_command_answers_with_one_document(people: list[User]) -> None:
    study, run = make_judged(people, drawn_pairs(240, 90))

    found = report(study.slug, "--run", str(run.number), "--epsilon", "0.2")

    assert found["run"] == run.number
    assert found["items"] == {
        "judged_by_people": 90, "not_judged_by_people": 150, "without_verdict": 0
    }  # fmt: skip
    test = found["alternative_annotator_test"]
    assert (test["epsilon"], test["passes"], test["n"]) == (0.2, True, 90)
    assert found["win_rate"]["people_and_judge"]["n"] == 90
    assert 0 < found["win_rate"]["people_and_judge"]["weight"] <= 1
    assert [one["annotator"] for one in found["annotators"]] == [one.email for one in people]
    assert found["annotators"][0]["alternative"]["replaceable"] is True
    assert set(found["agreement"]["majority"]) == {
        "percent", "cohen_kappa", "linear", "quadratic", "undecided"
    }  # fmt: skip


def test_the_command_in_words_gives_reasons_where_there_are_no_numbers(people: list[User]) -> None:
    study, run = make_judged(people, drawn_pairs(20, 12))
    out = StringIO()

    call_command("judge_report", study.slug, "--run", str(run.number), stdout=out)

    text = out.getvalue()
    assert "12 items judged by people as well, 8 by the judge alone, 0 without a verdict" in text
    assert "Not possible: it takes three annotators with 30 items each" in text
    assert "People and judge: –" in text


@pytest.mark.parametrize(
    ("number", "reason"),
    [("1", "Run 1 is no judge's. Runs of judges: 3."), ("9", "Run 9 is no judge's."),
     ("4", "People have not met what run 4 judged: make a batch of runs"),
     ("5", "Run 5 is not done (running)")],
)  # fmt: skip
def test_the_command_refuses_in_one_line(people: list[User], number: str, reason: str) -> None:
    study, _ = make_judged(people, drawn_pairs(4, 2))
    if number == "4":
        runs = make_pair(study, [("Old.", "New.")])
        Run.objects.filter(study=study).exclude(number__lte=3).update(number=F("number") + 100)
        judge(study, runs, ["[[A]]", "[[B]]"])
        Run.objects.filter(study=study, system="judge").exclude(number=3).update(number=4)
    if number == "5":
        run = Run.objects.get(study=study, number=3)
        Run.objects.create(study=study, number=5, suite=run.suite, system="judge",
                           source="imported", state="running")  # fmt: skip
    err = StringIO()

    with pytest.raises(SystemExit) as caught:
        call_command("judge_report", study.slug, "--run", number, stderr=err)

    assert caught.value.code == 1
    assert reason in err.getvalue()
    assert err.getvalue().count("\n") == 1


# Real judgements.


@pytest.mark.shared
def test_pandalm_through_the_database(
    people: list[User], pandalm: tuple[list[Pair], dict[str, Any]]
) -> None:
    pairs, reference = pandalm
    _study, run = make_judged(people, pairs)

    found = standing_of(run)

    items = items_of(pairs, 3)
    known = [pair for pair in pairs if pair.judge is not None]
    assert found.judged.items.labelled == len(known)
    assert found.judged.without_verdict == reference["items"] - len(known)
    # People's votes came through whole: their tables with one another are the reference's.
    among = found.judged.items.among_people
    assert among.tables().sum() == 3 * len(known)
    for mine, plain in (
        (found.gap, kappa_gap(items)), (found.combined.alone, people_alone(items))
    ):  # fmt: skip
        assert isinstance(mine, Estimate)
        assert (mine.value, mine.low, mine.high, mine.n) == pytest.approx(
            (plain.value, plain.low, plain.high, plain.n)
        )
    test, expected = found.test, may_replace(items, 0.15)
    assert not isinstance(test, Undefined)
    assert sorted(test.p_values) == pytest.approx(sorted(expected.p_values))
    assert (test.passes, test.n) == (expected.passes, expected.n) == (False, len(known))
    assert isinstance(found.combined.powered, Undefined)
    majority = found.majority.kappas["unweighted"]
    assert isinstance(majority, Estimate)
    assert majority.value == pytest.approx(cohen_kappa(items.majority_table).value)
