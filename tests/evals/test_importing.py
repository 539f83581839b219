"""Outputs that exist already become runs: whose they are, which case they answer, what is told."""

import json
from typing import Any

import pytest

from annotate.intake import RefusedError
from annotate.models import State, Study
from annotate.parsing import Source
from evals.formats import ScorerSpec
from evals.importing import (
    Files,
    OutputsReport,
    Reading,
    check_outputs,
    import_outputs,
    import_systems,
)
from evals.models import Case, Generation, Run, Score, Suite
from evals.queries.runs import latest_pair
from tests.evals.factories import make_suite
from tests.evals.format_inputs import lines, source


@pytest.fixture
def suite(db: None) -> Suite:
    """Six cases, capitals-1 to capitals-6: What is 1? The answer is 1."""
    return make_suite()


def answers(*numbers: int, text: str = "{}", **more: Any) -> Source:
    return source(
        lines(*({"id": f"capitals-{n}", "prompt": f"What is {n}?", "output": text.format(n), **more}
                for n in numbers))
    )  # fmt: skip


def codes(report: OutputsReport) -> list[str]:
    return [fault.code for fault in report.errors]


def warned(report: OutputsReport) -> dict[str, str]:
    return {fault.code: fault.message for fault in report.warnings}


def counted(suite: Suite) -> Suite:
    """`suite` as if it had been made with all the cases that it has. It never changes in life."""
    suite.case_count = suite.cases.count()
    return suite


def texts(run: Run) -> list[str | None]:
    return list(run.generations.order_by("position").values_list("text", flat=True))


def test_outputs_become_a_run_that_is_done_and_scored(study: Study, suite: Suite) -> None:
    taken = import_outputs(study, [answers(1, 2, 3, 4, 5, 6)], system="candidate", suite=suite)

    run = Run.objects.get()
    assert taken.run == run
    assert (run.number, run.system, run.state, run.source) == (1, "candidate", "done", "imported")
    assert (run.suite, run.format, run.file_names) == (suite, "plain", ["file.jsonl"])
    assert run.ended_at is not None
    assert texts(run) == ["1", "2", "3", "4", "5", "6"]
    assert (taken.scores.scored, taken.scores.passed) == (6, 6)
    assert Score.objects.filter(own=True, passed=True).count() == 6
    assert taken.report.joined_by == "id"
    assert taken.report.warnings == []


def test_a_check_writes_nothing_and_says_the_same(study: Study, suite: Suite) -> None:
    report = check_outputs(study, [answers(1, 2)], system="candidate", suite=suite)

    assert report.accepted
    assert (report.matched, report.missing, report.unmatched) == (2, 4, 0)
    assert report.suite == "capitals@1"
    assert [one.output for one in report.examples] == ["1", "2"]
    assert not Run.objects.exists()


def test_cases_without_an_output_stay_in_the_denominator(study: Study, suite: Suite) -> None:
    taken = import_outputs(study, [answers(2, 4)], system="baseline", suite=suite)

    assert taken.run is not None
    missing = Generation.objects.filter(run=taken.run, error_kind="missing")
    assert [one.position for one in missing.order_by("position")] == [1, 3, 5, 6]
    assert {one.error for one in missing} == {"no output in the file"}
    assert Score.objects.filter(passed=False).count() == 4
    assert (
        "4 cases have no output in the file: 'capitals-1', 'capitals-3'"
        in (warned(taken.report)["missing_cases"])
    )


def test_outputs_of_other_cases_are_left_out_and_named(study: Study, suite: Suite) -> None:
    taken = import_outputs(study, [answers(1, 7, 8)], system="baseline", suite=suite)

    assert taken.report.unmatched == 2
    told = warned(taken.report)["unmatched"]
    assert "2 outputs answer no case of capitals, v1" in told
    assert "'capitals-7' (line 2), 'capitals-8' (line 3)" in told


def test_a_file_of_another_suite_is_refused(study: Study, suite: Suite) -> None:
    taken = import_outputs(study, [answers(7, 8)], system="baseline", suite=suite)

    assert taken.run is None
    assert codes(taken.report) == ["no_match"]
    message = taken.report.errors[0].message
    assert "The file's first id is 'capitals-7' (line 1), the suite's 'capitals-1'" in message
    assert not Run.objects.exists()


def test_without_ids_prompts_join_whatever_their_spaces_and_accents(
    study: Study, suite: Suite
) -> None:
    rows = [{"prompt": f"  What\tis {n}?\n", "output": str(n)} for n in (3, 1, 2)]

    taken = import_outputs(study, [source(lines(*rows))], system="baseline", suite=suite)

    assert taken.run is not None
    assert taken.report.joined_by == "prompt"
    assert texts(taken.run)[:3] == ["1", "2", "3"]


def test_a_system_message_that_the_file_lacks_keeps_nothing_apart(
    study: Study, suite: Suite
) -> None:
    messages = [{"role": "system", "content": "Be short."}]
    rows = [
        {"messages": [*messages, {"role": "user", "content": f"What is {n}?"}], "output": str(n)}
        for n in (1, 2)
    ]

    taken = import_outputs(study, [source(lines(*rows))], system="baseline", suite=suite)

    assert taken.report.matched == 2


def test_where_ids_and_prompts_disagree_prompts_decide(study: Study, suite: Suite) -> None:
    rows = [
        {"id": f"capitals-{7 - n}", "prompt": f"What is {n}?", "output": str(n)}
        for n in range(1, 7)
    ]

    taken = import_outputs(study, [source(lines(*rows))], system="baseline", suite=suite)

    assert taken.run is not None
    assert texts(taken.run) == ["1", "2", "3", "4", "5", "6"]
    told = warned(taken.report)["ids_contradict"]
    assert told.startswith("Lines 1, 2, 3, 4, 5 and 1 more: the id is that of one case")


def test_ids_decide_where_that_is_chosen(study: Study, suite: Suite) -> None:
    rows = [{"id": "capitals-2", "prompt": "What is 1?", "output": "2"}]

    taken = import_outputs(
        study, [source(lines(*rows))], system="baseline", suite=suite, reading=Reading(join="id")
    )

    assert taken.run is not None
    assert texts(taken.run)[:2] == [None, "2"]


def test_a_template_around_prompts_is_told_and_joins_by_id(study: Study, suite: Suite) -> None:
    rows = [{"id": f"capitals-{n}", "prompt": f"Q: {n}\nA:", "output": str(n)} for n in (1, 2)]

    taken = import_outputs(study, [source(lines(*rows))], system="baseline", suite=suite)

    assert taken.report.matched == 2
    assert warned(taken.report)["asked_otherwise"].startswith("Lines 1, 2: the prompt in the file")


def test_two_outputs_for_one_case_are_refused_with_both_lines(study: Study, suite: Suite) -> None:
    rows = [
        {"id": "capitals-1", "prompt": "What is 1?", "output": "1"},
        {"prompt": "What is 2?", "output": "2"},
        {"prompt": "What is 1?", "output": "one"},
    ]

    taken = import_outputs(study, [source(lines(*rows))], system="baseline", suite=suite)

    assert taken.run is None
    assert [(fault.code, fault.line) for fault in taken.report.errors] == [("duplicate_case", 3)]
    assert "answers the same case as line 1" in taken.report.errors[0].message


def test_cases_that_share_a_prompt_are_answered_in_their_order(study: Study) -> None:
    suite = make_suite(cases=1)
    for position in (2, 3):
        Case.objects.create(
            suite=suite, position=position, case_id=f"again {position}",
            messages=[{"role": "user", "content": "What is 1?"}],
        )  # fmt: skip
    rows = [{"prompt": "What is 1?", "output": text} for text in ("a", "b", "c", "d")]
    with_three = make_suite("three", 1)

    three = import_outputs(
        study, [source(lines(*rows[:3]))], system="baseline", suite=counted(suite)
    )
    one = check_outputs(study, [source(lines(*rows[:2]))], system="baseline", suite=with_three)

    assert three.run is not None
    assert texts(three.run) == ["a", "b", "c"]
    assert codes(one) == ["duplicate_case"]


def test_the_same_outputs_come_in_once(study: Study, suite: Suite) -> None:
    import_outputs(study, [answers(1)], system="baseline", suite=suite)

    with pytest.raises(RefusedError) as refused:
        import_outputs(study, [answers(1)], system="baseline", suite=suite)
    assert refused.value.code == "already_imported"
    assert "are the baseline's run 1 on capitals, v1 already" in str(refused.value)
    with pytest.raises(RefusedError):
        check_outputs(study, [answers(1)], system="baseline", suite=suite)

    assert import_outputs(study, [answers(1)], system="candidate", suite=suite).run is not None


def test_a_closed_study_takes_no_outputs(study: Study, suite: Suite) -> None:
    Study.objects.filter(pk=study.pk).update(state=State.CLOSED)
    study.refresh_from_db()

    with pytest.raises(RefusedError) as refused:
        import_outputs(study, [answers(1)], system="baseline", suite=suite)

    assert refused.value.code == "study_closed"
    assert not Run.objects.exists()


def test_one_faulty_line_keeps_the_whole_file_out(study: Study, suite: Suite) -> None:
    faulty = lines(
        {"id": "capitals-1", "prompt": "What is 1?", "output": "1"},
        '{"id": "capitals-2", "prompt": ',
        {"id": "capitals-3", "prompt": "What is 3?", "output": "3", "latency_ms": "soon"},
    )

    taken = import_outputs(study, [source(faulty)], system="baseline", suite=suite)

    assert taken.run is None
    assert [fault.line for fault in taken.report.errors] == [2, 3]
    assert not Run.objects.exists()


# Suites made of outputs.


def test_without_a_suite_one_is_made_of_the_file(study: Study) -> None:
    rows = [
        {"prompt": "2 + 2?", "output": "4", "category": "simple"},
        {"prompt": "Capital of France?", "output": "Lyon"},
    ]

    taken = import_outputs(study, [source(lines(*rows), "sums.jsonl")], system="baseline")

    assert taken.run is not None
    assert taken.report.joined_by == "file"
    made = taken.run.suite
    assert (made.name, made.version, made.format, made.case_count) == ("sums", 1, "plain", 2)
    assert [case.category for case in made.cases.order_by("position")] == ["simple", ""]
    assert taken.scores.without_scorer == 2


def test_the_other_system_joins_the_suite_in_any_order(study: Study) -> None:
    prompts = ["2 + 2?", "Capital of France?", "Why?"]
    first = lines(*({"prompt": one, "output": "a"} for one in prompts))
    second = lines(*({"prompt": one, "output": "b"} for one in prompts[::-1]))

    one = import_outputs(study, [source(first, "old.jsonl")], system="baseline").run
    other = import_outputs(study, [source(second, "new.jsonl")], system="candidate").run

    assert one is not None
    assert other is not None
    assert one.suite == other.suite
    assert (pair := latest_pair(study, one.suite.name)) is not None
    assert pair.runs == (one, other)


def test_outputs_to_other_prompts_make_a_suite_of_their_own(study: Study) -> None:
    first = lines({"prompt": "2 + 2?", "output": "a"})
    second = lines({"prompt": "3 + 3?", "output": "b"})

    one = import_outputs(study, [source(first, "out.jsonl")], system="baseline").run
    other = import_outputs(study, [source(second, "out.jsonl")], system="candidate").run

    assert one is not None
    assert other is not None
    assert (one.suite.name, other.suite.name) == ("out", "out-2")


def test_a_suite_that_somebody_wrote_gets_no_version_from_outputs(
    study: Study, suite: Suite
) -> None:
    rows = source(lines({"prompt": "2 + 2?", "output": "a"}), "capitals.jsonl")

    taken = import_outputs(study, [rows], system="baseline")

    assert taken.run is not None
    assert taken.run.suite.name == "capitals-2"
    refused = check_outputs(
        study, [rows], system="candidate", reading=Reading(suite_name="capitals")
    )
    assert codes(refused) == ["bad_name"]


def test_a_table_with_expected_answers_is_outputs_too(study: Study) -> None:
    table = "prompt,output,expected\n2 + 2?,4,4\nCapital of France?,Lyon,Paris\n"

    taken = import_outputs(study, [source(table, "answers.csv")], system="baseline")

    assert taken.run is not None
    assert (taken.scores.scored, taken.scores.passed) == (2, 1)


def test_the_scorer_of_a_made_suite_can_be_chosen(study: Study) -> None:
    table = "prompt,output,expected\nCapital of France?,It is Paris.,Paris\n"
    reading = Reading(scorer=ScorerSpec("contains"))

    taken = import_outputs(study, [source(table, "a.csv")], system="baseline", reading=reading)

    assert taken.scores.passed == 1


def test_outputs_without_prompts_make_no_suite(study: Study) -> None:
    batch = lines({"custom_id": "a", "response": body("Paris"), "error": None})

    taken = import_outputs(study, [source(batch)], system="baseline")

    assert codes(taken.report) == ["prompt_missing"]
    assert "add the file that has the prompts" in taken.report.errors[0].message


# Formats.


def body(text: str | None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, **more}
    choice.setdefault("finish_reason", "stop")
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
    inner = {"object": "chat.completion", "model": "m-1", "choices": [choice], "usage": usage}
    return {"status_code": 200, "body": inner}


def test_openai_batch_joins_by_custom_id_with_its_requests_and_errors(
    study: Study, suite: Suite
) -> None:
    logprobs = {"content": [{"token": "1", "logprob": -0.5, "bytes": [49], "top_logprobs": []}]}
    output = lines(
        {"custom_id": "capitals-2", "response": body("2", finish_reason="length"), "error": None},
        {"custom_id": "capitals-1", "response": body("1", logprobs=logprobs), "error": None},
        {"custom_id": "capitals-3", "response": None, "error": {"code": "x", "message": "down"}},
    )

    taken = import_outputs(study, [source(output)], system="candidate", suite=suite)

    assert taken.run is not None
    one, two, three, four = taken.run.generations.order_by("position")[:4]
    assert (one.text, one.logprobs, one.latency_ms) == ("1", [["1", -0.5, [49]]], None)
    assert (one.prompt_tokens, one.completion_tokens, one.model) == (7, 2, "m-1")
    assert (two.text, two.finish_reason) == ("2", "length")
    assert (three.text, three.error_kind, three.error) == (None, "in_file", "x: down")
    assert four.error_kind == "missing"
    assert taken.run.model == "m-1"


def test_tool_calls_are_kept_as_the_model_wrote_them(study: Study) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": '}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    response = {"status_code": 200, "body": {"choices": [{"message": message}], "model": "m"}}
    request = {"custom_id": "a", "body": {"messages": [{"role": "user", "content": "Call f."}]}}
    files = [
        source(lines({"custom_id": "a", "response": response, "error": None}), "out.jsonl"),
        source(lines(request), "in.jsonl"),
    ]

    taken = import_outputs(study, files, system="candidate")

    assert taken.run is not None
    generation = taken.run.generations.get()
    assert generation.tool_calls == [{"name": "f", "arguments": '{"a": '}]
    assert generation.case.messages == [{"role": "user", "content": "Call f."}]


def promptfoo(*results: dict[str, Any]) -> Source:
    told = {"version": 3, "prompts": [], "results": list(results), "stats": {}}
    document = {"evalId": "eval-1", "results": told, "config": {}}
    return source(json.dumps(document), "out.json")


def promptfoo_result(provider: str, column: int, test: int, text: str) -> dict[str, Any]:
    return {
        "promptIdx": column, "testIdx": test, "provider": {"id": provider, "label": ""},
        "prompt": {"raw": f"What is {test + 1}?", "label": f"What is {test + 1}?"},
        "vars": {"n": test}, "testCase": {"vars": {}, "metadata": {"category": "edge_case"}},
        "response": {"output": text, "cached": column == 0, "tokenUsage": {"completion": 3}},
        "success": True, "score": 1, "latencyMs": 812, "namedScores": {}, "error": None,
    }  # fmt: skip


def test_a_file_of_several_systems_asks_which_is_which(study: Study) -> None:
    file = promptfoo(
        promptfoo_result("old", 0, 0, "1"), promptfoo_result("new", 1, 0, "one"),
        promptfoo_result("new", 1, 1, "two"), promptfoo_result("old", 0, 1, "2"),
    )  # fmt: skip

    report = check_outputs(study, [file], system="candidate")

    assert codes(report) == ["choice_needed"]
    assert report.choice_needed
    assert report.systems == {"old (prompt 0)": 2, "new (prompt 1)": 2}

    one, other = import_systems(
        study, Files([file]), {"baseline": "old (prompt 0)", "candidate": "new (prompt 1)"}
    )

    assert one.run is not None
    assert other.run is not None
    assert one.run.pair == other.run.pair
    assert one.run.suite == other.run.suite
    assert texts(one.run) == ["1", "2"]
    assert texts(other.run) == ["one", "two"]
    cached, asked = one.run.generations.first(), other.run.generations.first()
    assert cached is not None
    assert asked is not None
    assert (cached.latency_ms, cached.cached) == (None, True)
    assert (asked.latency_ms, asked.completion_tokens) == (812.0, 3)
    assert asked.imported_scores == {"score": {"value": 1}, "success": {"value": True}}
    assert asked.case.category == "edge_case"


def test_of_a_pair_both_come_in_or_none(study: Study) -> None:
    file = promptfoo(promptfoo_result("old", 0, 0, "1"), promptfoo_result("new", 1, 0, "one"))

    taken = import_systems(
        study, Files([file]), {"baseline": "old (prompt 0)", "candidate": "newer"}
    )

    assert [one.run for one in taken] == [None, None]
    assert codes(taken[1].report) == ["choice_unknown"]
    assert not Run.objects.exists()
    assert not Suite.objects.exists()


def lm_eval(filter_name: str, doc: int) -> dict[str, Any]:
    return {
        "doc_id": doc, "doc": {"question": "?"}, "target": "18",
        "arguments": {"gen_args_0": {"arg_0": f"What is {doc}?", "arg_1": {}}},
        "resps": [["It is 18."]], "filtered_resps": ["18"], "filter": filter_name,
        "metrics": ["exact_match"], "exact_match": 1.0,
    }  # fmt: skip


def test_lm_eval_asks_which_filter(study: Study) -> None:
    file = source(lines(*(lm_eval(name, doc) for doc in (0, 1) for name in ("strict", "flexible"))))

    assert codes(check_outputs(study, [file], system="candidate")) == ["choice_needed"]
    taken = import_outputs(study, [file], system="candidate", reading=Reading(pick="strict"))

    assert taken.run is not None
    generation = taken.run.generations.first()
    assert generation is not None
    assert generation.text == "It is 18."
    assert generation.case.expected == {"answers": ["18"]}
    assert generation.imported_scores == {"exact_match": {"value": 1.0}}


def test_mt_bench_answers_with_their_questions_make_a_suite(study: Study) -> None:
    question = {"question_id": 81, "category": "writing", "turns": ["Write.", "Again."]}
    answer = {
        "question_id": 81, "answer_id": "x", "model_id": "m",
        "choices": [{"index": 0, "turns": ["Words.", "$ERROR$"]}], "tstamp": 1.0,
    }  # fmt: skip
    files = [source(lines(answer), "m.jsonl"), source(lines(question), "question.jsonl")]

    taken = import_outputs(study, files, system="candidate")

    assert taken.run is not None
    assert taken.run.suite.name == "mt_bench"
    first, second = taken.run.generations.order_by("position")
    assert (first.text, first.case.category) == ("Words.", "writing")
    assert len(second.case.messages) == 3
    assert second.error_kind == "in_file"


def test_of_several_answers_to_a_case_one_is_taken_and_the_others_are_told(study: Study) -> None:
    twice = [{"message": {"role": "assistant", "content": text}, "index": n}
             for n, text in enumerate(("first", "second"))]  # fmt: skip
    response = {"status_code": 200, "body": {"choices": twice, "model": "m"}}
    request = {"custom_id": "a", "body": {"messages": [{"role": "user", "content": "Go."}]}}
    files = [
        source(lines({"custom_id": "a", "response": response, "error": None}), "out.jsonl"),
        source(lines(request), "in.jsonl"),
    ]

    taken = import_outputs(study, files, system="baseline")
    other = import_outputs(study, files, system="candidate", reading=Reading(sample=2))

    assert taken.run is not None
    assert other.run is not None
    assert texts(taken.run) + texts(other.run) == ["first", "second"]
    assert (
        "up to 2 answers to one case. Answer 1 of each" in (warned(taken.report)["several_samples"])
    )


def test_a_file_of_cases_is_no_file_of_outputs(study: Study) -> None:
    cases = lines({"prompt": "2 + 2?", "expected": "4"})

    report = check_outputs(study, [source(cases)], system="baseline")

    assert codes(report) == ["wrong_kind"]
    assert "Import it under Suites" in report.errors[0].message


def test_what_no_database_holds_is_replaced_or_refused(study: Study) -> None:
    odd = {"prompt": "p", "output": "o", "prompt_tokens": 10**12, "latency_ms": 5}

    taken = import_outputs(study, [source(lines(odd))], system="baseline")

    assert taken.run is not None
    generation = taken.run.generations.get()
    assert (generation.prompt_tokens, generation.latency_ms) == (None, 5.0)
