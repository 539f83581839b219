"""The pages of endpoints: helpful where something is wrong, and silent about keys and answers."""

import logging
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from evals.endpoints import connection_of, ensure_stand_ins
from evals.models import Endpoint
from tests.evals.completions import completion
from tests.evals.factories import make_endpoint
from tests.evals.model_server import ModelServer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_cache")]

KEY = "sk-canary-4711-abcdefghijklmnop"
FIELDS: dict[str, Any] = {
    "name": "Fern 2",
    "base_url": "https://models.example/v1",
    "model": "fern-2",
    "parameters": '{"temperature": 0}',
    "key_source": "none",
    "key_variable": "",
    "key": "",
    "concurrency": "4",
    "requests_per_minute": "",
    "timeout_seconds": "60",
    "max_tries": "3",
    "input_price": "",
    "output_price": "",
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with ModelServer() as running:
        monkeypatch.setenv("TOUCHSTONE_PRIVATE_ENDPOINTS", "127.0.0.1")
        yield running


def saved(client: Client, url: str = "/endpoints/new", **fields: Any) -> Endpoint:
    answer = client.post(url, FIELDS | fields)
    assert answer.status_code == 302, errors_of(answer)
    return Endpoint.objects.get(pk=answer["Location"].rsplit("/", 1)[1])


def errors_of(answer: Any) -> dict[str, list[str]]:
    return {name: list(map(str, found)) for name, found in answer.context["form"].errors.items()}


def refused(client: Client, url: str = "/endpoints/new", **fields: Any) -> dict[str, list[str]]:
    before = list(Endpoint.objects.values())
    answer = client.post(url, FIELDS | fields)
    assert answer.status_code == 422
    assert list(Endpoint.objects.values()) == before
    found = errors_of(answer)
    for messages in found.values():
        assert all(message in unescaped(answer) for message in messages)
    return found


def unescaped(answer: Any) -> str:
    text: str = answer.content.decode()
    for name, letter in (("&quot;", '"'), ("&#x27;", "'"), ("&gt;", ">"), ("&lt;", "<")):
        text = text.replace(name, letter)
    return text.replace("&amp;", "&")


def test_an_endpoint_is_kept_as_it_was_written(adam_client: Client) -> None:
    endpoint = saved(
        adam_client, base_url=" https://Models.Example/v1/ ", key_source="stored", key=f" {KEY} ",
        streaming="on", requests_per_minute="600", input_price="2.5", output_price="10",
        parameters='{"temperature": 0.2, "seed": 7, "response_format": {"type": "text"}}',
    )  # fmt: skip

    assert endpoint.base_url == "https://Models.Example/v1"
    assert endpoint.parameters == {
        "temperature": 0.2, "seed": 7, "response_format": {"type": "text"},
    }  # fmt: skip
    assert (endpoint.streaming, endpoint.requests_per_minute, endpoint.has_price) == (
        True, 600, True,
    )  # fmt: skip
    assert connection_of(endpoint).key == KEY
    page = adam_client.get(f"/endpoints/{endpoint.pk}").content.decode()
    assert "It ends in mnop." in page
    assert 'value="2.5"' in page


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("base_url", "models.example/v1", "does not begin with https://"),
        ("base_url", "http://models.example/v1", "Write https://"),
        ("base_url", "https://10.0.0.1/v1", "is not a public address"),
        ("base_url", "https://127.1/v1", "no address written in full"),
        ("base_url", "https://me:pw@models.example/v1", "user name"),
        ("base_url", "https://models.example/v1?key=x", "query"),
        ("base_url", "https://models.example/v1/chat/completions/", "Leave off"),
        ("base_url", "", "required"),
        ("parameters", '{"a": 1,}', "Line 1, column"),
        ("parameters", '{"a": 1}\n{', "Line 2, column 1"),
        ("parameters", "[1]", "no JSON object"),
        ("parameters", '{"stream": true, "model": "x", "n": 2}', "model, n, stream: leave off"),
        ("parameters", '{"a": NaN}', "NaN is no JSON"),
        ("parameters", '{"a": {"b": 1, "b": 2}}', "stands twice"),
        ("parameters", '{"a": "x\\u0000"}', "NUL"),
        ("parameters", "{" * 5000, "JSON"),
        ("parameters", '{"a": %s}' % ("9" * 5000), "too long"),
        ("parameters", '{"a": ' + "[" * 6000 + "]" * 6000 + "}", "nested too deeply"),
        ("parameters", '{"a": "%s"}' % ("x" * 20_001), "at most 20000"),
        ("concurrency", "65", "less than or equal to 64"),
        ("concurrency", "", "required"),
        ("timeout_seconds", "0", "greater than or equal to 1"),
        ("max_tries", "11", "less than or equal to 10"),
        ("requests_per_minute", "0", "greater than or equal to 1"),
        ("input_price", "-1", "0 or more"),
        ("output_price", "1", "both prices"),
        ("key", KEY, "not chosen above"),
        ("name", "", "required"),
        ("model", "x" * 201, "at most 200"),
        ("key_source", "elsewhere", "valid choice"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    adam_client: Client, field: str, value: str, said: str
) -> None:
    (found, *more) = refused(adam_client, **{field: value}).items()

    assert more == []
    assert found[0] == field
    assert said in found[1][0]


@pytest.mark.parametrize(
    ("fields", "where", "said"),
    [
        ({"key_source": "stored"}, "key", "Write the key"),
        ({"key_source": "stored", "key": "a b"}, "key", "no spaces"),
        ({"key_source": "stored", "key": "schlüssel"}, "key", "letters, digits and signs"),
        ({"key_source": "environment"}, "key_variable", "TOUCHSTONE_KEY_"),
        ({"key_source": "environment", "key_variable": "DATABASE_URL"}, "key_variable",
         "TOUCHSTONE_KEYS_FROM"),
        ({"key_source": "environment", "key_variable": "TOUCHSTONE_SECRET_KEY"}, "key_variable",
         "TOUCHSTONE_KEYS_FROM"),
    ],
)  # fmt: skip
def test_a_key_that_cannot_be_used_is_refused(
    adam_client: Client, fields: dict[str, str], where: str, said: str
) -> None:
    found = refused(adam_client, **fields)

    assert list(found) == [where]
    assert said in found[where][0]


def test_a_second_endpoint_of_the_same_name_is_refused(adam_client: Client) -> None:
    make_endpoint("Fern 2")

    assert refused(adam_client) == {"name": ["Another endpoint has this name. Choose one."]}


def test_with_another_address_the_key_must_be_given_again(adam_client: Client) -> None:
    endpoint = saved(adam_client, key_source="stored", key=KEY)
    page = f"/endpoints/{endpoint.pk}"

    moved = refused(adam_client, page, key_source="stored", base_url="https://evil.example/v1")
    assert moved == {
        "key": ["Write the key: a key is sent to no other address than the one it was given for."]
    }
    assert connection_of(Endpoint.objects.get()).key == KEY

    # On the same address it stays without being written again.
    adam_client.post(page, FIELDS | {"key_source": "stored", "model": "fern-3"})
    assert connection_of(Endpoint.objects.get()).key == KEY
    assert Endpoint.objects.get().model == "fern-3"
    adam_client.post(page, FIELDS | {"base_url": "https://evil.example/v1"})
    assert Endpoint.objects.get().key_encrypted == ""
    assert connection_of(Endpoint.objects.get()).key is None


def test_a_variable_is_not_sent_to_another_address_by_changing_the_address_alone(
    adam_client: Client,
) -> None:
    chosen = {"key_source": "environment", "key_variable": "TOUCHSTONE_KEY_FERN"}
    endpoint = saved(adam_client, **chosen)
    page = f"/endpoints/{endpoint.pk}"

    moved = refused(adam_client, page, base_url="https://evil.example/v1", **chosen)

    assert list(moved) == ["key_variable"]
    assert "keep the new address with no key first" in moved["key_variable"][0]


def test_no_page_shows_a_key_even_when_the_form_comes_back(
    adam_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint = saved(adam_client, key_source="stored", key=KEY)
    path = f"/endpoints/{endpoint.pk}"
    wrong = FIELDS | {"key_source": "stored", "key": KEY, "parameters": "["}

    pages = [
        adam_client.get("/endpoints/"), adam_client.get(path), adam_client.get("/endpoints/new"),
        adam_client.post("/endpoints/new", wrong), adam_client.post(path, wrong),
        adam_client.post(path, FIELDS | {"key_source": "stored", "key": KEY}, follow=True),
    ]  # fmt: skip

    sealed = Endpoint.objects.get().key_encrypted
    for page in pages:
        assert page.status_code in (200, 422)
        assert KEY not in page.content.decode()
        assert sealed not in page.content.decode()
    assert KEY not in caplog.text


def test_the_test_says_that_it_answered_and_not_what(
    adam_client: Client, server: ModelServer
) -> None:
    server.reply = lambda call: completion("BODY-CANARY") | {"model": "MODEL-CANARY"}
    endpoint = make_endpoint(base_url=server.url, parameters={"temperature": 0})

    page = adam_client.post(f"/endpoints/{endpoint.pk}/test", follow=True).content.decode()

    assert re.search(r"It answered in [\d,]+ ms; tokens are counted\.", page)
    assert "CANARY" not in page
    (call,) = server.calls
    assert call.body["temperature"] == 0
    assert len(str(call.body)) < 300


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("401", "does not accept the key"),
        ("404", "refuses the request (4xx)"),
        ("429", "asks for fewer requests"),
        ("500", "error of its own"),
        ("302", "redirect"),
        ("malformed", "not with a chat completion"),
        ("reset", "connection ended"),
        ("huge", "more than 10 MB"),
    ],
)
def test_a_failed_test_says_what_failed_in_fixed_words(
    adam_client: Client, server: ModelServer, fault: str, said: str
) -> None:
    server.fault, server.redirect_to = fault, "http://127.0.0.1:1/LOCATION-CANARY"
    endpoint = make_endpoint(base_url=server.url)

    page = adam_client.post(f"/endpoints/{endpoint.pk}/test", follow=True).content.decode()

    assert said in page
    for canary in ("CANARY", "of the model server", "Traceback"):
        assert canary not in page
    assert server.count() == 1


def test_a_test_ends_after_its_own_time_and_asks_once(
    adam_client: Client, server: ModelServer
) -> None:
    server.fault = "hang"
    endpoint = make_endpoint(base_url=server.url, timeout_seconds=1, max_tries=10)

    page = adam_client.post(f"/endpoints/{endpoint.pk}/test", follow=True).content.decode()

    assert "no complete answer in time" in page
    assert server.count() == 1


def test_after_ten_tests_a_minute_an_admin_has_to_wait(
    adam_client: Client, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The clock of these turns alone: sign-ins end by the same clock.
    clock = SimpleNamespace(time=lambda: 1_800_000_000.0)
    monkeypatch.setattr("evals.endpoints.trying.time", clock)
    endpoints = [make_endpoint(f"Fern {number}", base_url=server.url) for number in range(2)]
    statuses = [
        adam_client.post(f"/endpoints/{endpoints[turn % 2].pk}/test").status_code
        for turn in range(13)
    ]

    assert statuses == [302] * 10 + [429] * 3
    assert server.count() == 10
    clock.time = lambda: 1_800_000_060.0
    assert adam_client.post(f"/endpoints/{endpoints[0].pk}/test").status_code == 302


def test_others_can_neither_see_nor_test_an_endpoint(
    alice_client: Client, lena_client: Client, server: ModelServer
) -> None:
    endpoint = make_endpoint(base_url=server.url)
    for client in (alice_client, lena_client):
        for path in ("", "/test", "/archive"):
            url = f"/endpoints/{endpoint.pk}{path}"
            assert {client.get(url).status_code, client.post(url).status_code} <= {404, 405}
    assert server.connections == 0
    endpoint.refresh_from_db()
    assert endpoint.archived_at is None


def test_stand_ins_are_added_named_as_such_and_keep_their_kind(adam_client: Client) -> None:
    page = adam_client.post("/endpoints/", {"act": "stand_ins"}, follow=True).content.decode()
    assert "Stand-in, candidate" in page
    assert "inside Touchstone" in page
    assert "Add the stand-ins" not in page
    endpoint = ensure_stand_ins()["candidate"]
    one = adam_client.get(f"/endpoints/{endpoint.pk}").content.decode()
    assert "Its numbers say nothing about any model." in one
    assert 'name="base_url"' not in one
    assert 'name="key"' not in one

    fields = FIELDS | {"name": "Pretend", "model": "stand-in-candidate", "key_source": "stored",
                       "key": KEY}  # fmt: skip
    assert adam_client.post(f"/endpoints/{endpoint.pk}", fields).status_code == 302

    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.kind, endpoint.base_url) == ("Pretend", "stand_in", "")
    assert endpoint.key_source == "none"
    page = adam_client.post(f"/endpoints/{endpoint.pk}/test", follow=True).content.decode()
    assert "It answered in" in page


def test_archived_endpoints_are_listed_apart_and_come_back(adam_client: Client) -> None:
    endpoint = make_endpoint()
    adam_client.post(f"/endpoints/{endpoint.pk}/archive", {"act": "archive"})
    listed = adam_client.get("/endpoints/")
    assert ([*listed.context["endpoints"]], [*listed.context["archived"]]) == ([], [endpoint])

    adam_client.post(f"/endpoints/{endpoint.pk}/archive", {"act": "bring_back"})

    assert [*adam_client.get("/endpoints/").context["endpoints"]] == [endpoint]


def test_the_list_asks_as_much_for_one_endpoint_as_for_many(
    adam_client: Client, django_assert_num_queries: Any
) -> None:
    make_endpoint("One")
    adam_client.get("/endpoints/")
    with django_assert_num_queries(3):
        adam_client.get("/endpoints/")
    for number in range(5):
        make_endpoint(f"More {number}")
    with django_assert_num_queries(3):
        adam_client.get("/endpoints/")
