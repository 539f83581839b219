"""A call to a service: what is sent, what comes back, and every way in which it can fail."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from evals.openai_client import Call, CallError, Connection, Logprob, Request, ask
from tests.evals.completions import completion, tool_call
from tests.evals.model_server import Called, ModelServer

KEY = "sk-canary-4711-abcdefghij"
WEATHER = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


def question(text: str = "Hi [[case:7]]", **parameters: Any) -> Request:
    return Request([{"role": "user", "content": text}], parameters=parameters)


def failure(connection: Connection, request: Request | None = None) -> CallError:
    with pytest.raises(CallError) as raised:
        ask(connection, request or question())
    return raised.value


def test_a_question_is_sent_as_it_stands_and_its_answer_read(server: ModelServer) -> None:
    messages = [
        {"role": "system", "content": "Be brief. ½ \ud83d"},
        {"role": "user", "content": "Hi"},
    ]

    answer = ask(
        server.connection(key=KEY),
        Request(messages, [WEATHER], {"temperature": 0, "seed": 7, "unheard_of": {"a": [1, None]}}),
    )

    (call,) = server.calls
    assert call.path == "/v1/chat/completions"
    assert call.body == {
        "model": "fern-2", "messages": messages, "tools": [WEATHER],
        "temperature": 0, "seed": 7, "unheard_of": {"a": [1, None]},
    }  # fmt: skip
    assert call.headers["Authorization"] == f"Bearer {KEY}"
    assert answer.tool_calls == (Call("get_weather", '{"case": "Hi"}', "call_1"),)
    assert (answer.text, answer.finish_reason, answer.model) == (None, "tool_calls", "fern-2-2026")
    assert (answer.prompt_tokens, answer.completion_tokens) == (11, 3)
    assert answer.request_id == "req-1"
    assert 0 < answer.latency_ms < 2000
    assert answer.first_token_ms is None


def test_a_stream_is_joined_to_the_same_answer(server: ModelServer) -> None:
    for tools in ([], [WEATHER]):
        request = Request([{"role": "user", "content": "Say it"}], tools, {"logprobs": True})
        whole = ask(server.connection(), request)
        streamed = ask(server.connection(streaming=True), request)

        for part in ("text", "tool_calls", "finish_reason", "model", "logprobs",
                     "prompt_tokens", "completion_tokens", "refusal"):  # fmt: skip
            assert getattr(streamed, part) == getattr(whole, part), part
        assert streamed.first_token_ms is not None
        assert 0 < streamed.first_token_ms <= streamed.latency_ms


def test_nothing_of_the_environment_leaves_with_a_call(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {
        "OPENAI_API_KEY": "sk-env-secret", "OPENAI_ADMIN_KEY": "sk-env-secret",
        "OPENAI_ORG_ID": "org-env-secret", "OPENAI_PROJECT_ID": "proj-env-secret",
        "OPENAI_CUSTOM_HEADERS": "X-Secret: env-secret",
        "OPENAI_BASE_URL": "https://env-secret.example",
        "HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9",
    }  # fmt: skip
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)

    assert ask(server.connection(), question()).text == "Answer to 7"

    (call,) = server.calls
    assert "env-secret" not in str(call)
    assert {name.lower() for name in call.headers} == {
        "host", "accept", "content-type", "content-length", "accept-encoding", "connection",
        "user-agent",
    }  # fmt: skip


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("429", "rate_limited"),
        ("401", "unauthorised"),
        ("403", "unauthorised"),
        ("400", "bad_request"),
        ("404", "bad_request"),
        ("422", "bad_request"),
        ("408", "timeout"),
        ("500", "server_error"),
        ("503", "server_error"),
        ("malformed", "not_json"),
        ("truncated", "cut_off"),
        ("reset", "cut_off"),
        ("no-choice", "no_choice"),
        ("huge", "too_large"),
        ("bomb", "too_large"),
        ("not-http", "not_json"),
    ],
)
def test_each_failure_has_its_kind_and_one_line(
    server: ModelServer, fault: str, kind: str, streaming: bool
) -> None:
    connection = server.connection(streaming=streaming, key=KEY)

    error = failure(connection, question(f"[[case:7]] [[fault:{fault}]]"))

    assert error.kind == kind
    assert error.status == (int(fault) if fault.isdigit() else None)
    assert "\n" not in str(error)
    assert 10 < len(str(error)) <= 300
    assert server.count() == 1


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("fault", ["hang", "drip", "slow-headers"])
def test_no_call_outlives_its_deadline_by_much(
    server: ModelServer, fault: str, streaming: bool
) -> None:
    began = time.monotonic()

    error = failure(
        server.connection(streaming=streaming, timeout_seconds=0.6),
        question(f"[[fault:{fault}]]"),
    )

    assert error.kind == "timeout"
    assert time.monotonic() - began < 1.5
    assert 500 < error.latency_ms < 1500


def test_a_gigabyte_is_left_after_ten_megabytes(server: ModelServer) -> None:
    began = time.monotonic()

    error = failure(server.connection(timeout_seconds=30), question("[[fault:huge]]"))

    assert error.kind == "too_large"
    assert time.monotonic() - began < 5


def test_a_stream_that_ends_in_the_middle_is_no_answer(server: ModelServer) -> None:
    error = failure(server.connection(streaming=True), question("[[fault:cut-stream]]"))

    assert error.kind == "cut_off"
    assert error.worth_a_retry


def test_what_no_database_holds_is_replaced_and_counted(server: ModelServer) -> None:
    for streaming in (False, True):
        answer = ask(server.connection(streaming=streaming), question("[[case:7]] [[fault:nul]]"))

        assert answer.text == "NUL\ufffd and half \ufffd of 7"
        assert answer.replaced_count == 2


def test_the_pause_a_service_asks_for_is_told_in_seconds(server: ModelServer) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=90)
    for written, expected in [
        ("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("nan", None), ("soon", None), ("", None),
        ("999999999", 24 * 3600.0), (format_datetime(soon, usegmt=True), 89.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
    ]:  # fmt: skip
        server.retry_after = written
        found = failure(server.connection(), question("[[fault:429]]")).retry_after
        assert found == (None if expected is None else pytest.approx(expected, abs=2)), written


def test_a_key_is_in_no_error_and_no_representation(server: ModelServer) -> None:
    connection = server.connection(key=KEY)
    error_body = {"error": {"message": f"Incorrect API key\n{KEY} provided.\x1b[31m"}}
    server.reply = lambda call: error_body

    error = failure(connection)

    assert str(error) == "The service answered with an error: Incorrect API key … provided. [31m"
    shown = f"{connection!r} {connection} {error!r} {error.__cause__!r} {error.__context__!r}"
    assert KEY not in shown
    assert failure(server.connection(key="sk-\nX: y")).kind == "no_key"


def test_a_service_that_refuses_to_count_a_stream_is_asked_without(server: ModelServer) -> None:
    def choose(call: Called) -> str:
        return "400" if "stream_options" in call.body else ""

    server.choose = choose
    connection = server.connection(streaming=True, model="refuses-usage")
    with pytest.raises(CallError):
        ask(connection, question())  # its message does not speak of stream_options
    server.choose = None
    server.reply = refusing_usage

    answers = [ask(connection, question()) for _ in range(3)]

    assert [answer.text for answer in answers] == ["Paris"] * 3
    assert [answer.prompt_tokens for answer in answers] == [None] * 3
    sent = ["stream_options" in call.body for call in server.calls]
    assert sent == [True, True, False, False, False]


def refusing_usage(call: Called) -> dict[str, Any]:
    if "stream_options" in call.body:
        message = "Unrecognized request argument supplied: stream_options"
        return {"error": {"message": message, "code": 400}}
    return completion()


def test_a_stream_that_was_asked_for_may_come_in_one_piece(server: ModelServer) -> None:
    server.choose = lambda call: call.body.pop("stream") and ""

    answer = ask(server.connection(streaming=True), question())

    assert (answer.text, answer.first_token_ms) == ("Answer to 7", None)


@pytest.mark.parametrize("name", ["model", "messages", "tools", "stream", "stream_options", "n"])
def test_parameters_that_we_set_are_refused_before_anything_is_sent(
    server: ModelServer, name: str
) -> None:
    assert failure(server.connection(), Request((), (), {name: 1})).kind == "bad_request"
    assert failure(server.connection(), question(temperature=float("nan"))).kind == "bad_request"
    assert server.count() == 0


def test_log_probabilities_keep_their_bytes_and_unknown_ones_their_mark(
    server: ModelServer,
) -> None:
    answer = completion()
    answer["choices"][0]["logprobs"] = {"content": [
        {"token": "Pa", "logprob": -0.5, "bytes": [80, 97]},
        {"token": "ris", "logprob": float("nan"), "bytes": None},
        {"token": "\0", "logprob": float("-inf"), "bytes": [300]},
        {"token": "!", "logprob": 10**400},
        "nonsense",
    ]}  # fmt: skip
    server.reply = lambda call: answer

    assert ask(server.connection(), question()).logprobs == (
        Logprob("Pa", -0.5, (80, 97)),
        Logprob("ris", -9999.0),
        Logprob("\ufffd", -9999.0),
        Logprob("!", -9999.0),
    )


def test_tool_calls_in_all_the_shapes_that_services_use(server: ModelServer) -> None:
    plain = tool_call("f", '{"a": 1')
    shapes: list[tuple[dict[str, Any], list[Call]]] = [
        ({"tool_calls": [plain]}, [Call("f", '{"a": 1', "call_1")]),
        ({"tool_calls": [{"function": {"name": "f", "arguments": {"ä": 1}}}]},
         [Call("f", '{"ä": 1}')]),
        ({"tool_calls": [{"function": {"name": "f"}}]}, [Call("f", "")]),
        ({"tool_calls": [{"type": "custom", "id": "c", "custom": {"name": "f", "input": "x"}}]},
         [Call("f", "x", "c")]),
        ({"function_call": {"name": "f", "arguments": "{}"}}, [Call("f", "{}")]),
        ({"tool_calls": None, "function_call": None}, []),
        ({"tool_calls": []}, []),
    ]  # fmt: skip
    for message, expected in shapes:
        server.reply = lambda call, message=message: completion(None, **message)
        assert list(ask(server.connection(), question()).tool_calls) == expected


def test_content_in_parts_and_refusals_are_read(server: ModelServer) -> None:
    parts = [
        {"type": "text", "text": "Pa"},
        {"type": "image"},
        {"type": "output_text", "text": "ris"},
    ]
    cases: list[tuple[Any, Any, tuple[str | None, str | None]]] = [
        (parts, None, ("Paris", None)),
        ([{"type": "refusal", "refusal": "No."}], None, (None, "No.")),
        (None, "I will not.", (None, "I will not.")),
        ("", None, ("", None)),
    ]
    for content, refusal, expected in cases:
        answered = completion(content, refusal=refusal)
        server.reply = lambda call, answered=answered: answered
        answer = ask(server.connection(), question())
        assert (answer.text, answer.refusal) == expected


@pytest.mark.parametrize(
    "answered",
    [
        [], 7, "text", None, {}, {"choices": {}}, {"choices": [7]}, {"choices": [{}]},
        {"choices": [{"message": "Paris"}]}, {"choices": [{"message": {"content": 7}}]},
        {"choices": [{"message": {"tool_calls": 7}}]},
        {"choices": [{"message": {"tool_calls": [{"function": {}}]}}]},
    ],
)  # fmt: skip
def test_json_that_is_no_completion_is_told_so(server: ModelServer, answered: Any) -> None:
    server.reply = lambda call: answered

    assert failure(server.connection()).kind == "not_json"


def test_odd_numbers_in_the_usage_are_no_numbers(server: ModelServer) -> None:
    for value in (-1, 2**31, "11", 1.5, True, None, [1]):
        answer = completion()
        answer["usage"] = {"prompt_tokens": value, "completion_tokens": 3}
        server.reply = lambda call, answer=answer: answer
        found = ask(server.connection(), question())
        assert (found.prompt_tokens, found.completion_tokens) == (None, 3)


def test_nothing_answers_where_nobody_listens(server: ModelServer) -> None:
    connection = server.connection()
    server.__exit__(None, None, None)

    error = failure(connection)

    assert error.kind == "unreachable"
    assert error.worth_a_retry
