"""What is stored of an answer's score: once, with its scorer, whatever the answer holds."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotate.models import Study
from evals.formats import ScorerSpec
from evals.metrics import Scored, Unscored
from evals.models import Case, Generation, Run, Score, ScorerVersion, Suite
from evals.scoring import ScoreCounts, corpus_scores, score_generation, score_run
from evals.scoring.summaries import summaries_of
from evals.stats.estimates import Estimate, Undefined
from tests.evals.factories import make_run, make_suite

ROUGE = ScorerSpec("rouge_l")


def make_case(suite: Suite, **fields: Any) -> Case:
    number = suite.cases.count() + 1
    given = {"messages": [{"role": "user", "content": "?"}], "expected": {}, **fields}
    return Case.objects.create(suite=suite, position=number, case_id=f"case {number}", **given)


def make_answers(study: Study, answers: list[dict[str, Any]], cases: list[dict[str, Any]]) -> Run:
    """A run that is done and not scored, one answer a case."""
    suite = make_suite("answered", cases=1, categories=())
    Case.objects.filter(suite=suite).delete()
    run = Run.objects.create(
        study=study, number=Run.objects.count() + 1, suite=suite, system="candidate",
        source="imported", state="done", ended_at=timezone.now(),
    )  # fmt: skip
    for answer, fields in zip(answers, cases, strict=True):
        case = make_case(suite, **fields)
        Generation.objects.create(
            run=run, case=case, position=case.position, state="done", done_at=timezone.now(),
            **answer,
        )  # fmt: skip
    return run


def only_score(run: Run) -> Score:
    return Score.objects.get(generation__run=run)


CAPITAL = {"expected": {"answers": ["Paris"]}}


def test_an_answer_is_scored_by_the_scorer_that_its_case_names(study: Study) -> None:
    case = {**CAPITAL, "scorer": {"name": "contains", "parameters": {}}}
    run = make_answers(study, [{"text": "It is Paris."}], [case])

    result = score_generation(run.generations.get())

    assert isinstance(result, Scored)
    score = only_score(run)
    assert (score.own, score.value, score.passed, score.reason) == (True, 1.0, True, "")
    assert score.scorer.name == "contains"
    assert score.scorer.signature.startswith("contains|version:1|level:output|")


@pytest.mark.parametrize(
    ("expected", "name"),
    [
        ({"answers": ["Paris"]}, "exact_match"),
        ({"tool_calls": []}, "tool_calls"),
        ({"schema": {"type": "object"}}, "json_schema"),
        ({"refuse": True}, "refusal"),
    ],
)
def test_a_case_that_names_no_scorer_gets_the_usual_one(
    study: Study, expected: dict[str, Any], name: str
) -> None:
    run = make_answers(study, [{"text": "Paris"}], [{"expected": expected}])

    score_generation(run.generations.get())

    assert only_score(run).scorer.name == name


def test_a_case_that_expects_nothing_gets_no_score(study: Study) -> None:
    run = make_answers(study, [{"text": "Paris"}], [{}])

    assert score_generation(run.generations.get()) is None
    assert score_run(run) == ScoreCounts(without_scorer=1)
    assert not Score.objects.exists()


def test_scoring_twice_keeps_the_first_score(study: Study) -> None:
    run = make_answers(study, [{"text": "Paris"}], [CAPITAL])
    score_generation(run.generations.get())
    first = only_score(run)

    score_generation(run.generations.get())

    assert score_run(run) == ScoreCounts()
    assert only_score(run).pk == first.pk
    assert ScorerVersion.objects.count() == 1


def test_errors_and_cut_off_answers_stay_in_the_denominator(study: Study) -> None:
    answers: list[dict[str, Any]] = [
        {"error": "no answer within 60 s", "error_kind": "timeout"},
        {"text": "Par", "finish_reason": "length"},
        {"text": "Par", "finish_reason": "max_tokens"},
    ]
    run = make_answers(study, answers, [CAPITAL] * 3)

    assert score_run(run) == ScoreCounts(scored=3)

    failed, *cut = Score.objects.order_by("generation__position")
    assert (failed.value, failed.passed) == (0.0, False)
    assert "no answer within 60 s" in failed.parts["fault"]
    assert [score.parts["truncated"] for score in cut] == [True, True]


def test_another_scorer_is_added_beside_the_own_one_without_a_call(study: Study) -> None:
    run = make_answers(study, [{"text": "Paris, of course"}, {"text": "Lyon"}], [CAPITAL] * 2)
    score_run(run)

    assert score_run(run, [ROUGE]) == ScoreCounts(scored=2)
    assert score_run(run, [ROUGE]) == ScoreCounts()

    added = Score.objects.filter(own=False).order_by("generation__position")
    assert [score.scorer.name for score in added] == ["rouge_l", "rouge_l"]
    assert added[0].value == pytest.approx(0.5)
    assert added[0].passed is None
    assert Score.objects.filter(own=True).count() == 2


def test_the_own_scorer_asked_for_once_more_adds_nothing(study: Study) -> None:
    run = make_answers(study, [{"text": "Paris"}], [CAPITAL])

    score_run(run, [ScorerSpec("exact_match")])

    assert only_score(run).own


def test_other_parameters_are_another_scorer(study: Study) -> None:
    run = make_answers(study, [{"text": "Paris"}], [CAPITAL])

    score_run(run, [ROUGE, ScorerSpec("rouge_l", {"pass_at": 0.5})])

    assert Score.objects.filter(scorer__name="rouge_l").count() == 2
    assert set(Score.objects.filter(own=False).values_list("passed", flat=True)) == {None, True}


def test_a_scorer_that_cannot_be_used_leaves_a_reason_and_no_zero(study: Study) -> None:
    case = {**CAPITAL, "scorer": {"name": "regex", "parameters": {"pattern": "(?=x)"}}}
    other = {**CAPITAL, "scorer": {"name": "clairvoyance", "parameters": {}}}
    run = make_answers(study, [{"text": "Paris"}] * 3, [case, other, CAPITAL])

    assert score_run(run) == ScoreCounts(scored=1, passed=1, unscored=2)

    unusable, unknown, _ = Score.objects.order_by("generation__position")
    assert unusable.value is None
    assert unusable.reason.startswith("the scorer cannot be used: ")
    assert "no scorer 'clairvoyance'" in unknown.reason


def test_a_case_that_cannot_be_read_fails_no_run(study: Study) -> None:
    case = {"expected": {"answers": {"no": "list"}}}
    tools = {"expected": {"tool_calls": []}, "tools": [{"type": "function"}]}
    run = make_answers(study, [{"text": "Paris"}] * 3, [case, tools, CAPITAL])

    assert score_run(run) == ScoreCounts(scored=1, passed=1, unscored=2)


def test_calls_and_probabilities_are_read_as_they_are_stored(study: Study) -> None:
    expected = {
        "tool_calls": [{"name": "find", "arguments": {"city": {"any_of": ["Paris", "paris"]}}}]
    }
    answers: list[dict[str, Any]] = [
        {"tool_calls": [{"name": "find", "arguments": '{"city": "paris"}', "id": "call_1"}]},
        {"tool_calls": [{"name": "find", "arguments": {"city": "Paris"}}]},
        {"tool_calls": [{"name": "find", "arguments": '{"city": '}]},
        {"tool_calls": [{"arguments": "{}"}]},
        {"tool_calls": []},
    ]
    for answer in answers:
        answer["logprobs"] = [["Par", -0.5, [80, 97, 114]], ["is", -0.5, None]]
    run = make_answers(study, answers, [{"expected": expected}] * 5)

    score_run(run, [ScorerSpec("perplexity")])

    own = Score.objects.filter(own=True).order_by("generation__position")
    assert [score.value for score in own] == [1.0, 1.0, 0.0, 0.0, 0.0]
    assert "parse_error" in json.dumps(own[2].parts)
    assert "missing_call" in json.dumps(own[4].parts)
    sure = Score.objects.filter(scorer__name="perplexity").first()
    assert sure is not None
    assert sure.value == pytest.approx(1.6487, abs=1e-4)


def test_what_an_answer_holds_cannot_keep_its_score_out_of_the_database(study: Study) -> None:
    call = {"name": "find", "arguments": json.dumps({"x": "\0\ud800", "y": 1e400})}
    expected = {"tool_calls": [{"name": "find", "arguments": {"x": "a"}}]}
    schema = {"schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}
    text = json.dumps({"a": "\0\ud800"})
    run = make_answers(
        study, [{"tool_calls": [call]}, {"text": text}], [{"expected": expected},
        {"expected": schema}],
    )  # fmt: skip

    assert score_run(run) == ScoreCounts(scored=2)


def test_a_run_is_scored_with_as_many_questions_whatever_its_length(study: Study) -> None:
    asked = []
    for length in (3, 60):
        run = make_answers(study, [{"text": "Paris"}] * length, [CAPITAL] * length)
        with CaptureQueriesContext(connection) as questions:
            assert score_run(run) == ScoreCounts(scored=length, passed=length)
        asked.append(len(questions))

    # The second run finds the scorer's row, which the first one made.
    assert asked[1] == asked[0] - 2


def test_a_corpus_has_scores_that_are_no_means(study: Study) -> None:
    right = {"expected": {"answers": ["the cat sat on the mat today"]}}
    run = make_answers(
        study, [{"text": "the cat sat on the mat today"}, {"text": "a dog"}], [right] * 2
    )

    scores = {score.name: score for score in corpus_scores(run)}

    assert scores.keys() == {"bleu", "chrf", "perplexity"}
    assert scores["bleu"].value is not None
    assert 0 < scores["bleu"].value < 100
    assert "level:corpus" in scores["bleu"].signature
    assert scores["perplexity"].value is None
    assert scores["perplexity"].reason == "no output has usable log-probabilities"


def test_unscored_answers_say_why(study: Study) -> None:
    suite = make_suite(cases=1)
    Case.objects.filter(suite=suite)
    run = make_run(study, suite)

    assert score_run(run, [ScorerSpec("perplexity")]) == ScoreCounts(unscored=1)
    score = Score.objects.get(scorer__name="perplexity")
    assert score.reason == "the answer came without log-probabilities"
    assert isinstance(score_generation(run.generations.get()), Scored | Unscored)


def test_scores_of_a_run_are_summed_up_with_intervals_inside_their_scale(study: Study) -> None:
    run = make_answers(study, [{"text": "Paris"}] * 9 + [{"text": "Lyon"}], [CAPITAL] * 10)
    score_run(run, [ROUGE, ScorerSpec("perplexity")])

    own, perplexity, rouge = summaries_of(run)

    assert (own.name, own.own, own.passed, own.failed, own.is_graded) == (
        "exact_match", True, 9, 1, False,
    )  # fmt: skip
    assert (rouge.name, rouge.is_graded, rouge.unscored) == ("rouge_l", True, 0)
    mean = rouge.mean_score()
    assert isinstance(mean, Estimate)
    assert mean.low is not None
    assert (mean.value, mean.high) == (0.9, 1.0)
    assert 0 < mean.low < 0.9
    assert perplexity.why == "the answer came without log-probabilities"
    assert perplexity.mean_score() == Undefined("no output has a score")
