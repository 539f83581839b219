"""Outputs that exist: what each tool's files say, and what they do not."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from evals.formats import ImportedScore, Recognised, TokenLogprob, Tokens, recognise
from tests.evals.format_inputs import cases, codes, faults, lines, outputs, source, warned

USER = {"role": "user", "content": "Where is NP-1?"}


def request(key: str, **body: Any) -> dict[str, Any]:
    body = body or {"model": "m", "messages": [USER]}
    return {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body}


def answer(key: str, *choices: Any, status: int = 200, **body: Any) -> dict[str, Any]:
    told = {"object": "chat.completion", "model": "m-1", "choices": list(choices), **body}
    return {
        "id": "r",
        "custom_id": key,
        "response": {"status_code": status, "request_id": "q", "body": told},
        "error": None,
    }


def choice(content: Any, reason: str = "stop", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **more.pop("message", {})}
    return {"index": 0, "message": message, "finish_reason": reason, **more}


def test_batch_answers_are_joined_to_their_requests_whatever_the_order() -> None:
    asked = lines(
        *[request(k, model="m", messages=[{"role": "user", "content": k}]) for k in "abc"]
    )
    given = lines(answer("c", choice("C")), answer("a", choice("A")))
    failed = lines(
        {"id": "r", "custom_id": "b", "response": None, "error": {"code": "x", "message": "late"}}
    )

    found, report = outputs(source(given), source(asked), source(failed))

    assert report.errors == []
    assert [(o.key, o.prompt, o.text, o.error) for o in found] == [
        ("c", "c", "C", None),
        ("a", "a", "A", None),
        ("b", "b", None, "x: late"),
    ]


def test_batch_requests_without_an_answer_count_as_failed() -> None:
    found, report = outputs(
        source(lines(request("a"), request("b"))), source(lines(answer("a", choice("A"))))
    )

    assert [(o.key, o.text, bool(o.error)) for o in found] == [("a", "A", False), ("b", None, True)]
    assert {"no_answer", "failed"} <= warned(report)


def test_batch_has_no_latency_and_tells_of_missing_prompts() -> None:
    found, report = outputs(lines(answer("a", choice("A"), latency_ms=12)))

    assert found[0].latency_ms is None
    assert found[0].prompt is None
    assert warned(report) == {"prompt_missing"}


def test_batch_calls_keep_arguments_that_cannot_be_decoded() -> None:
    calls = [
        {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
        {"id": "2", "type": "function", "function": {"name": "g", "arguments": '{"a": '}},
    ]
    found, report = outputs(
        lines(answer("a", choice(None, "tool_calls", message={"tool_calls": calls})))
    )

    first, second = found[0].tool_calls or ()
    assert report.errors == []
    assert found[0].text is None
    assert found[0].error is None
    assert (first.name, first.arguments, first.fault) == ("f", {"a": 1}, "")
    assert (second.arguments, second.raw) == (None, '{"a": ')
    assert "not valid JSON" in second.fault
    assert "undecodable_call" in warned(report)


def test_batch_keeps_truncation_tokens_and_every_logprob() -> None:
    logprobs = {
        "content": [
            {"token": "Hi", "logprob": -0.01, "bytes": [72, 105], "top_logprobs": []},
            {"token": "?", "logprob": -9999.0, "bytes": None, "top_logprobs": []},
        ]
    }
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    found, report = outputs(
        lines(answer("a", choice("Hi?", "length", logprobs=logprobs), usage=usage))
    )

    assert found[0].truncated
    assert found[0].tokens == Tokens(9, 2)
    assert found[0].logprobs == (
        TokenLogprob("Hi", -0.01, (72, 105)),
        TokenLogprob("?", -9999.0),
    )
    assert "cut_off" in warned(report)


def test_batch_choices_are_samples_and_refusals_are_told() -> None:
    found, _ = outputs(
        lines(answer("a", choice("A"), choice(None, message={"refusal": "I cannot."})))
    )

    assert [(o.sample, o.text, o.refusal) for o in found] == [
        (1, "A", None),
        (2, "I cannot.", "I cannot."),
    ]


def test_batch_reads_bodies_of_responses() -> None:
    body = {
        "object": "response",
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
        "model": "m",
        "output": [
            {"type": "reasoning", "summary": []},
            {"type": "message", "content": [{"type": "output_text", "text": "On its "}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        ],
        "usage": {"input_tokens": 3, "output_tokens": 4},
    }
    record = {"custom_id": "a", "response": {"status_code": 200, "body": body}, "error": None}
    items = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "?"}]}]
    asked = request("a", model="m", instructions="Be brief.", input=items)

    found, report = outputs(source(lines(record)), source(lines(asked)))

    output = found[0]
    assert report.errors == []
    assert (output.text, output.finish_reason) == ("On its ", "length")
    assert [call.name for call in output.tool_calls or ()] == ["f"]
    assert output.tokens == Tokens(3, 4)
    assert [message["role"] for message in output.messages] == ["system", "user"]


def test_batch_tells_http_errors_strangers_and_bodies_without_text() -> None:
    refused = answer("a", status=429, error={"message": "slow down"})
    embedding = {"custom_id": "c", "response": {"status_code": 200, "body": {"object": "list"}}}
    found, report = outputs(
        source(lines(request("a"), request("c"), request("c")), "in.jsonl"),
        source(lines(refused, answer("z", choice("Z")), embedding), "out.jsonl"),
    )

    assert found[0].error == "HTTP 429: slow down"
    assert [(f.code, f.line) for f in report.errors] == [
        ("duplicate_id", 3),
        ("unknown_id", 2),
        ("no_text", 3),
    ]
    assert report.errors[1].message.startswith("out.jsonl, line 2, column custom_id: ")


def item(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"outputitem_{number}",
        "run_id": "run",
        "status": "pass",
        "datasource_item": {"q": "x"},
        "datasource_item_id": number,
        "results": [
            {"name": "match", "passed": True, "score": 1.0},
            {"name": "broken", "passed": None, "score": None},
        ],
        "sample": {
            "input": [USER],
            "output": [{"role": "assistant", "content": "Here."}],
            "finish_reason": "stop",
            "model": "m",
            "usage": {"prompt_tokens": 5, "completion_tokens": 1},
            "error": {"code": "", "message": ""},
        },
        **more,
    }


@pytest.mark.parametrize("paged", [False, True])
def test_hosted_items_are_read_from_lines_and_from_pages(paged: bool) -> None:
    text = json.dumps({"object": "list", "data": [item(1), item(2)]}, indent=1)
    found, report = outputs(text if paged else lines(item(1), item(2)))

    output = found[1]
    assert report.errors == []
    assert (output.key, output.prompt, output.text) == ("2", "Where is NP-1?", "Here.")
    assert output.latency_ms is None
    assert output.error is None
    assert output.scores["match"] == ImportedScore(1.0)
    assert output.scores["broken"].value is None
    assert output.scores["broken"].reason
    assert warned(report) == {"unscored"}


def test_hosted_items_that_failed_are_kept() -> None:
    sample = {"input": [USER], "output": [], "error": {"code": "500", "message": "down"}}
    found, _ = outputs(lines(item(1, sample=sample)))

    assert found[0].error == "500: down"


def result(test: int, prompt: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{test}-{prompt}",
        "promptIdx": prompt,
        "testIdx": test,
        "provider": {"id": "openai:m", "label": ""},
        "prompt": {"raw": f"Question {test}", "label": "Question {{n}}"},
        "vars": {"n": test},
        "testCase": {"vars": {}, "metadata": {"category": "edge_case"}},
        "response": {"output": "yes", "tokenUsage": {"prompt": 12, "completion": 8}},
        "success": True,
        "score": 1,
        "failureReason": 0,
        "error": None,
        "latencyMs": 812,
        "namedScores": {"tone": 0.5},
        **more,
    }


def promptfoo(*results: Any, version: int = 3) -> str:
    inner = {"version": version, "prompts": [], "results": list(results), "stats": {}}
    return json.dumps({"evalId": "e", "results": inner, "config": {}}, indent=1)


@pytest.mark.parametrize("as_lines", [False, True])
def test_promptfoo_results_are_keyed_by_their_test(as_lines: bool) -> None:
    results = [result(1), result(0)]
    found, report = outputs(lines(*results) if as_lines else promptfoo(*results))

    output = found[0]
    assert report.errors == []
    assert [o.key for o in found] == ["test-1", "test-0"]
    assert (output.prompt, output.text, output.latency_ms) == ("Question 1", "yes", 812.0)
    assert output.tokens == Tokens(12, 8)
    assert output.scores == {
        "score": ImportedScore(1),
        "tone": ImportedScore(0.5),
        "success": ImportedScore(True),
    }
    assert output.metadata["test_metadata"] == {"category": "edge_case"}


def test_promptfoo_latencies_of_a_cache_and_of_nothing_are_none() -> None:
    cached = {"output": "yes", "cached": True}
    found, report = outputs(
        promptfoo(result(0, response=cached, latencyMs=4), result(1, latencyMs=0))
    )

    assert [o.latency_ms for o in found] == [None, None]
    assert warned(report) == {"from_cache"}


def test_promptfoo_failed_assertions_are_no_errors() -> None:
    failed = result(0, success=False, failureReason=1, error="Expected no", score=0)
    broken = result(1, success=False, failureReason=2, error="API down", response={})
    found, _ = outputs(promptfoo(failed, broken))

    assert [(o.text, o.error) for o in found] == [("yes", None), (None, "API down")]


def test_promptfoo_prompts_may_be_conversations() -> None:
    chat = {"raw": json.dumps([{"role": "system", "content": "s"}, USER]), "label": "chat"}
    found, _ = outputs(promptfoo(result(0) | {"prompt": chat}))

    assert [message["role"] for message in found[0].messages] == ["system", "user"]


def test_promptfoo_labels_filled_in_for_each_test_are_one_system() -> None:
    named = [result(n) | {"prompt": {"raw": f"Question {n}!", "label": f"Q {n}"}} for n in (0, 1)]
    found, report = outputs(promptfoo(*named))

    assert report.errors == []
    assert [o.system for o in found] == ["openai:m, Q 0 (prompt 0)"] * 2


def test_promptfoo_outputs_may_be_calls_and_objects() -> None:
    calls = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}]
    found, _ = outputs(
        promptfoo(
            result(0, response={"output": calls}), result(1, response={"output": {"price": 1.5}})
        )
    )

    assert found[0].text is None
    assert [(c.name, c.arguments) for c in found[0].tool_calls or ()] == [("f", {"a": 1})]
    assert found[1].text == '{"price":1.5}'


def test_a_file_of_two_systems_asks_which_one() -> None:
    text = promptfoo(result(0), result(0, 1), result(1), result(1, 1))
    _, report = outputs(text)
    names = list(report.systems)
    chosen, second = outputs(text, system=names[1])
    _, unknown = outputs(text, system="gpt-9")

    assert codes(report) == ["choice_needed"]
    assert all(name in report.errors[0].message for name in names)
    assert second.errors == []
    assert [o.key for o in chosen] == ["test-0", "test-1"]
    assert codes(unknown) == ["choice_unknown"]


def test_promptfoo_tables_of_version_two_are_read() -> None:
    cell = {
        "pass": True,
        "score": 1,
        "text": "yes",
        "prompt": "Question a",
        "provider": "openai:m",
        "latencyMs": 90,
        "tokenUsage": {"prompt": 1, "completion": 2},
        "namedScores": {},
    }
    table = {
        "head": {"vars": ["n"], "prompts": [{"raw": "Question {{n}}", "label": "q"}]},
        "body": [
            {"vars": ["a"], "outputs": [cell]},
            {"vars": ["b"], "outputs": [{**cell, "tokenUsage": {"cached": 3}}]},
        ],
    }
    text = json.dumps({"results": {"version": 2, "results": [{}], "table": table, "stats": {}}})
    found, report = outputs(text)

    assert report.errors == []
    assert [(o.key, o.text, o.prompt, o.latency_ms) for o in found] == [
        ("test-0", "yes", "Question a", 90.0),
        ("test-1", "yes", "Question a", None),
    ]
    assert found[0].metadata["vars"] == {"n": "a"}


def sample(doc: int, name: str = "strict-match", **more: Any) -> dict[str, Any]:
    return {
        "doc_id": doc,
        "doc": {"question": "6 × 3?"},
        "target": "18",
        "arguments": {"gen_args_0": {"arg_0": "Q: 6 × 3?", "arg_1": {"until": ["\n"]}}},
        "resps": [["It is 18."]],
        "filtered_resps": ["18"],
        "filter": name,
        "metrics": ["exact_match"],
        "exact_match": 1.0,
        **more,
    }


def test_lm_eval_asks_for_a_filter_and_reads_the_chosen_one() -> None:
    text = lines(*[sample(d, f) for d in (0, 1) for f in ("strict-match", "flexible-extract")])
    _, report = outputs(text)
    found, chosen = outputs(text, system="flexible-extract")

    assert codes(report) == ["choice_needed"]
    assert report.systems == {"strict-match": 2, "flexible-extract": 2}
    assert chosen.errors == []
    assert [(o.key, o.prompt, o.text) for o in found] == [
        ("0", "Q: 6 × 3?", "It is 18."),
        ("1", "Q: 6 × 3?", "It is 18."),
    ]
    assert found[0].scores == {"exact_match": ImportedScore(1.0)}
    assert found[0].metadata["filtered_resps"] == ["18"]


def test_lm_eval_older_files_lack_metrics_and_have_lists_of_arguments() -> None:
    old = sample(0, arguments=[["Q: 6 × 3?", {"until": ["\n"]}]], acc=0.0)
    for name in ("metrics", "filter"):
        del old[name]
    found, report = outputs(lines(old))

    assert report.errors == []
    assert found[0].prompt == "Q: 6 × 3?"
    assert found[0].scores == {"exact_match": ImportedScore(1.0), "acc": ImportedScore(0.0)}


def test_lm_eval_choices_give_the_likeliest_continuation() -> None:
    arguments = {
        f"gen_args_{n}": {"arg_0": "Sky?", "arg_1": word}
        for n, word in enumerate([" red", " blue"])
    }
    resps = [[["-4.5", "False"]], [["-0.25", "True"]]]
    found, report = outputs(lines(sample(0, arguments=arguments, resps=resps)))

    assert found[0].text == " blue"
    assert found[0].metadata["likelihoods"] == [
        {"continuation": " red", "loglikelihood": -4.5},
        {"continuation": " blue", "loglikelihood": -0.25},
    ]
    assert warned(report) == {"chosen_continuation"}


def test_lm_eval_nan_is_unscored_and_repeats_are_samples() -> None:
    repeated = sample(1, resps=[["18", "19"]])
    found, report = outputs(lines(json.dumps(sample(0, exact_match=float("nan"))), repeated))

    assert report.errors == []
    assert found[0].scores["exact_match"].value is None
    assert [(o.key, o.sample, o.text) for o in found[1:]] == [("1", 1, "18"), ("1", 2, "19")]
    assert found[1].scores == {}
    assert found[1].metadata["scores_of_all_repeats"] == {"exact_match": 1.0}
    assert warned(report) == {"unscored"}


def test_alpaca_outputs_of_two_systems_have_equal_keys_for_equal_instructions() -> None:
    def file(generator: str, *instructions: str) -> str:
        return json.dumps(
            [
                {
                    "instruction": text,
                    "output": text.upper(),
                    "generator": generator,
                    "dataset": "d",
                }
                for text in instructions
            ]
        )

    first, one = outputs(file("a", "x", "y", "x"))
    second, two = outputs(file("b", "y", "x", "x"))

    assert one.errors == two.errors == []
    assert {o.key for o in first} == {o.key for o in second}
    assert first[0].key == second[1].key
    assert first[2].key == second[2].key == f"{first[0].key}#2"
    assert first[0].tool_calls is None
    assert first[0].metadata == {"dataset": "d"}


def test_mt_bench_answers_are_joined_to_their_questions_turn_by_turn() -> None:
    questions = lines({"question_id": 81, "category": "writing", "turns": ["Write.", "Shorter."]})
    answers = lines(
        {
            "question_id": 81,
            "answer_id": "x",
            "model_id": "m",
            "choices": [{"index": 0, "turns": ["Once.", "$ERROR$"]}],
            "tstamp": 1690.1,
        }
    )
    found, report = outputs(source(answers), source(questions))

    assert report.errors == []
    assert [(o.key, o.text, bool(o.error)) for o in found] == [
        ("81/turn-1", "Once.", False),
        ("81/turn-2", None, True),
    ]
    assert found[0].prompt == "Write."
    assert [message["content"] for message in found[1].messages] == ["Write.", "Once.", "Shorter."]
    assert found[1].metadata == {"category": "writing", "turn": 2}


def test_plain_tables_and_lines_give_outputs() -> None:
    table = (
        "id,prompt,output,latency_ms,finish_reason,note\n"
        "a,Hi,Hello,120.5,stop,x\nb,Bye,,0,length,\n"
    )
    rows, report = outputs(source(table, "out.csv"))
    found, _ = outputs(
        lines(
            {"prompt": "Hi", "response": "Hello", "latency_s": 0.5},
            {"prompt": "Hi", "response": "", "cached": True, "latency_ms": 3},
        )
    )

    assert report.errors == []
    assert [(o.key, o.text, o.latency_ms) for o in rows] == [
        ("a", "Hello", 120.5),
        ("b", None, None),
    ]
    assert rows[0].metadata == {"note": "x"}
    assert rows[1].error == "the output is empty"
    assert rows[1].truncated
    assert [(o.text, o.error, o.latency_ms) for o in found] == [
        ("Hello", None, 500.0),
        ("", None, None),
    ]
    assert found[1].key == f"{found[0].key}#2"


def test_plain_faults_name_line_and_column() -> None:
    _, report = outputs(
        source("id,prompt,output,latency_ms\na,x,y,fast\na,x,y,1\nb,,y,1\n", "o.csv")
    )

    assert faults(report) == [
        ("not_a_number", 1, 2, "latency_ms"),
        ("bad_case", 3, 4, "prompt"),
    ]


def test_a_key_that_is_there_twice_is_told_with_both_places() -> None:
    found, report = outputs(lines(*[{"id": "a", "prompt": "x", "output": n} for n in "yz"]))

    assert len(found) == 1
    assert report.errors[0].message == (
        "Line 2: the key 'a' was already used on line 1 (records 1 and 2). "
        "Give every record its own."
    )


def test_completions_may_be_training_or_outputs() -> None:
    text = lines({"prompt": "2 + 2 =", "completion": " 4"})
    found = recognise(source(text))
    taken, report = outputs(text, format="plain")
    taught, _ = cases(text)

    assert isinstance(found, Recognised)
    assert (found.format, found.sure, found.alternatives) == ("fine_tuning", False, ("plain",))
    assert report.errors == []
    assert taken[0].text == " 4"
    assert taught[0].expected.answers == ("4",)


@pytest.mark.parametrize(
    ("text", "format"),
    [
        (lines(answer("a", choice("A"))), "batch_output"),
        (lines(request("a")), "batch_input"),
        (lines(item(1)), "hosted_items"),
        (promptfoo(result(0)), "promptfoo_json"),
        (lines(result(0)), "promptfoo_jsonl"),
        (lines(sample(0)), "lm_eval_samples"),
        (lines({"question_id": 1, "turns": []}), "mt_bench_questions"),
        (lines({"instruction": "x", "output": "y"}), "plain"),
        ('[{"instruction": "x", "output": "y", "generator": "g"}]', "alpaca_outputs"),
        ("prompt,output\nx,y\n", "plain"),
    ],
)
def test_outputs_are_recognised_by_their_content_under_any_name(text: str, format: str) -> None:
    found = recognise(source(text, "data.txt"))

    assert isinstance(found, Recognised)
    assert found.format == format


@pytest.mark.parametrize(
    "text",
    [
        promptfoo(result(0))[:-40],
        promptfoo(result(0)).replace('"stats": {}', '"stats": }'),
        promptfoo(result(0)) + "x",
    ],
)
def test_a_damaged_document_is_a_fault_with_a_line(text: str) -> None:
    _, report = outputs(text)

    assert codes(report) == ["json_syntax"]
    assert report.errors[0].line


def test_files_of_different_formats_are_not_mixed() -> None:
    _, report = outputs(source(lines(sample(0))), source(lines(item(1))))

    assert codes(report) == ["wrong_kind"]


@pytest.mark.parametrize("text", ["[" * 500_000, '{"a": ' * 200_000, '{"a": "' + '\\"' * 500_000])
def test_texts_built_to_be_slow_are_recognised_at_once(text: str) -> None:
    start = time.monotonic()
    recognise(source(text))

    assert time.monotonic() - start < 2


STRANGE: tuple[Any, ...] = (None, 1, True, "", [], {}, [[]], [{}], {"a": {}}, "NaN", 10**400)
SEEDS = (answer("a", choice("A")), request("a"), item(1), result(0), sample(0))


@pytest.mark.parametrize("strange", STRANGE, ids=repr)
@pytest.mark.parametrize("seed", SEEDS, ids=["answer", "request", "item", "result", "sample"])
def test_a_value_of_another_type_is_a_fault_or_is_passed_over(
    seed: dict[str, Any], strange: Any
) -> None:
    for path in paths(seed):
        text = lines(replaced(seed, path, strange))
        found, report = outputs(text)
        assert found or report.errors, path


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands inside of `value`."""
    members: Any = value.items() if isinstance(value, dict) else ()
    members = enumerate(value) if isinstance(value, list) else members
    for key, inner in members:
        yield (*path, key)
        yield from paths(inner, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy
