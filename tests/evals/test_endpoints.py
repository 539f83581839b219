"""Keys that stay with their address and out of sight; connections; stand-ins."""

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection as database
from django.db import transaction

from annotate.models import Study
from evals.endpoints import (
    BusyEndpointError,
    KeyChoice,
    KeyWantedError,
    archive,
    bring_back,
    connection_of,
    ensure_stand_ins,
    write_endpoint,
)
from evals.models import Endpoint, Run
from evals.openai_client import CallError, Request, ask
from tests.evals.factories import make_endpoint, make_suite
from tests.evals.model_server import ModelServer
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db

KEY = "sk-canary-4711-abcdefghijklmnop"
HI = Request([{"role": "user", "content": "Hi"}])


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("TOUCHSTONE_PRIVATE_ENDPOINTS", "TOUCHSTONE_ENDPOINT_KEYS",
                 "TOUCHSTONE_KEYS_FROM"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def server(environment: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with ModelServer() as running:
        environment.setenv("TOUCHSTONE_PRIVATE_ENDPOINTS", "127.0.0.1, localhost")
        yield running


def with_stored_key(url: str = "https://models.example/v1", key: str = KEY) -> Endpoint:
    endpoint = Endpoint(name=f"At {url}", base_url=url, model="fern-2")
    return write_endpoint(endpoint, KeyChoice("stored", key=key))


def no_key(endpoint: Endpoint) -> str:
    with pytest.raises(CallError) as raised:
        connection_of(endpoint)
    assert raised.value.kind == "no_key"
    assert KEY not in str(raised.value)
    return str(raised.value)


def test_a_stored_key_is_encrypted_and_sent(server: ModelServer) -> None:
    endpoint = Endpoint.objects.get(pk=with_stored_key(server.url).pk)

    assert ask(connection_of(endpoint), HI).text == "Answer to Hi"

    assert server.calls[0].headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in json.dumps([str(value) for value in vars(endpoint).values()])
    assert endpoint.key_last4 == "mnop"
    assert endpoint.key_origin == f"http://127.0.0.1:{server.port}"


def test_of_a_short_key_nothing_is_shown() -> None:
    assert with_stored_key(key="sk-123456789012").key_last4 == ""
    assert with_stored_key("https://other.example/v1", "sk-1234567890123").key_last4 == "0123"


@pytest.mark.parametrize("change", ["localhost", "port", "scheme"])
def test_a_key_is_never_sent_to_another_origin(server: ModelServer, change: str) -> None:
    endpoint = with_stored_key(server.url)
    with ModelServer() as other:
        endpoint.base_url = {
            "localhost": server.url.replace("127.0.0.1", "localhost"),
            "port": other.url,
            "scheme": server.url.replace("http:", "https:"),
        }[change]
        with pytest.raises(KeyWantedError), transaction.atomic():
            write_endpoint(endpoint, KeyChoice("stored"))
        # Even if the row is changed behind our back.
        Endpoint.objects.filter(pk=endpoint.pk).update(base_url=endpoint.base_url)
        assert "another address" in no_key(Endpoint.objects.get(pk=endpoint.pk))
        origin = f"http://127.0.0.1:{other.port}" if change == "port" else "http://localhost:1"
        Endpoint.objects.filter(pk=endpoint.pk).update(key_origin=origin, base_url=f"{origin}/v1")
        assert "another address" in no_key(Endpoint.objects.get(pk=endpoint.pk))
        assert (server.count(), other.count()) == (0, 0)


def test_after_a_change_of_address_the_next_call_has_no_authorization(server: ModelServer) -> None:
    endpoint = with_stored_key("https://models.example/v1")
    endpoint.base_url = server.url

    write_endpoint(endpoint, KeyChoice("none"))

    ask(connection_of(Endpoint.objects.get(pk=endpoint.pk)), HI)
    assert "Authorization" not in server.calls[0].headers
    assert (endpoint.key_encrypted, endpoint.key_last4, endpoint.key_origin) == ("", "", "")


def test_another_path_of_the_same_origin_keeps_the_key(server: ModelServer) -> None:
    endpoint = with_stored_key(server.url)
    endpoint.base_url = server.url.replace("/v1", "/v2")

    write_endpoint(endpoint, KeyChoice("stored"))

    assert connection_of(endpoint).key == KEY


def test_a_key_of_the_environment_is_read_when_it_is_sent(
    server: ModelServer, environment: pytest.MonkeyPatch
) -> None:
    endpoint = make_endpoint(base_url=server.url)
    write_endpoint(endpoint, KeyChoice("environment", "TOUCHSTONE_KEY_FERN"))
    assert "TOUCHSTONE_KEY_FERN is not set" in no_key(endpoint)
    environment.setenv("TOUCHSTONE_KEY_FERN", f" {KEY}\n")

    assert ask(connection_of(endpoint), HI).text == "Answer to Hi"

    assert server.calls[0].headers["Authorization"] == f"Bearer {KEY}"
    assert (endpoint.key_encrypted, endpoint.key_last4) == ("", "")


def test_a_variable_chosen_for_one_address_is_not_sent_to_another(server: ModelServer) -> None:
    endpoint = make_endpoint(base_url="https://models.example/v1")
    choice = KeyChoice("environment", "TOUCHSTONE_KEY_FERN")
    write_endpoint(endpoint, choice)
    endpoint.base_url = server.url

    with pytest.raises(KeyWantedError, match=r"was chosen for https://models\.example:443"):
        write_endpoint(endpoint, choice)

    write_endpoint(endpoint, KeyChoice("none"))
    assert connection_of(endpoint).key is None
    write_endpoint(endpoint, choice)
    assert endpoint.key_origin == f"http://127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    "variable",
    ["TOUCHSTONE_SECRET_KEY", "DATABASE_URL", "TOUCHSTONE_ENDPOINT_KEYS", "OPENAI_API_KEY", "PATH",
     "TOUCHSTONE_KEYS_FROM", "touchstone_key_x", "TOUCHSTONE_KEY_\n", "EMAIL_HOST_PASSWORD", ""],
)  # fmt: skip
def test_no_other_variable_of_a_worker_can_be_sent_anywhere(
    server: ModelServer, environment: pytest.MonkeyPatch, variable: str
) -> None:
    if variable and "\n" not in variable:
        environment.setenv(variable, "a-secret")
    endpoint = make_endpoint(
        base_url=server.url,
        key_source="environment",
        key_variable=variable or "X",
        key_origin=f"http://127.0.0.1:{server.port}",
    )

    assert "No key may be taken" in no_key(endpoint)


def test_the_operator_can_list_variables_and_bind_a_key_to_its_service(
    server: ModelServer, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("TOUCHSTONE_KEYS_FROM", "OPENAI_API_KEY, MISTRAL_API_KEY")
    environment.setenv("OPENAI_API_KEY", KEY)
    endpoint = make_endpoint(base_url=server.url)
    write_endpoint(endpoint, KeyChoice("environment", "OPENAI_API_KEY"))
    assert connection_of(endpoint).key == KEY

    environment.setenv("OPENAI_API_KEY_ORIGIN", "https://api.openai.com")
    assert "may not be sent" in no_key(endpoint)
    environment.setenv("OPENAI_API_KEY_ORIGIN", server.url)
    assert connection_of(endpoint).key == KEY


def test_keys_are_rotated_and_old_ones_can_be_given_up(environment: pytest.MonkeyPatch) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    derived = with_stored_key()
    environment.setenv("TOUCHSTONE_ENDPOINT_KEYS", old)
    second = with_stored_key("https://second.example/v1")
    environment.setenv("TOUCHSTONE_ENDPOINT_KEYS", f"{new}, {old}")

    out = StringIO()
    call_command("rotate_endpoint_keys", "--json", stdout=out)

    assert json.loads(out.getvalue()) == {"rotated": 2, "unreadable": []}
    environment.setenv("TOUCHSTONE_ENDPOINT_KEYS", new)
    for endpoint in (derived, second):
        endpoint.refresh_from_db()
        assert connection_of(endpoint).key == KEY
        Fernet(new).decrypt(endpoint.key_encrypted.encode())


def test_without_its_encryption_key_a_key_is_told_lost(
    environment: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    environment.setenv("TOUCHSTONE_ENDPOINT_KEYS", Fernet.generate_key().decode())
    endpoint = with_stored_key()
    environment.setenv("TOUCHSTONE_ENDPOINT_KEYS", Fernet.generate_key().decode())

    assert "Give the key again" in no_key(endpoint)
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("rotate_endpoint_keys", "--json", stdout=out, stderr=StringIO())
    assert ended.value.code == 1
    assert json.loads(out.getvalue()) == {"rotated": 0, "unreadable": [endpoint.name]}

    environment.setenv("TOUCHSTONE_ENDPOINT_KEYS", "no-key")
    told = no_key(endpoint)
    assert "Key 1 of TOUCHSTONE_ENDPOINT_KEYS is no Fernet key" in told


def test_a_derived_key_belongs_to_one_secret(settings: LazySettings) -> None:
    endpoint = with_stored_key()
    assert connection_of(endpoint).key == KEY

    settings.SECRET_KEY = "another" * 10

    assert "cannot be decrypted" in no_key(endpoint)


def test_a_key_is_nowhere_in_the_database_in_logs_or_in_representations(
    server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.reply = lambda call: {"error": {"message": f"Bad key {KEY}", "code": 401}}
    endpoint = with_stored_key(server.url)
    connection = connection_of(endpoint)
    with pytest.raises(CallError) as raised:
        ask(connection, HI)

    assert server.calls[0].headers["Authorization"] == f"Bearer {KEY}"  # it was there to leak
    shown = f"{endpoint!r} {connection!r} {KeyChoice('stored', key=KEY)!r} {raised.value!r}"
    assert KEY not in shown + caplog.text
    assert KEY.encode() not in whole_database()


def whole_database() -> bytes:
    """Every row of every table as text."""
    rows = b""
    with database.cursor() as cursor:
        for table in database.introspection.table_names():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            rows += "\n".join(row[0] for row in cursor.fetchall()).encode()
    assert b"fern-2" in rows
    return rows


def test_what_a_run_asks_is_not_changed_under_it(study: Study) -> None:
    endpoint = make_endpoint()
    run = Run.objects.create(
        study=study, number=1, suite=make_suite(), system="baseline", source="calls",
        endpoint=endpoint,
    )  # fmt: skip
    for name, value in [("model", "fern-3"), ("parameters", {"seed": 1}), ("streaming", True),
                        ("base_url", "https://models.example/v2")]:  # fmt: skip
        changed: Any = Endpoint.objects.get(pk=endpoint.pk)
        setattr(changed, name, value)
        with pytest.raises(BusyEndpointError, match="1 run is being asked"):
            write_endpoint(changed, KeyChoice())
    endpoint.name, endpoint.timeout_seconds = "Renamed", 9
    write_endpoint(endpoint, KeyChoice("stored", key=KEY))
    Run.objects.filter(pk=run.pk).update(state="cancelled", ended_at="2026-11-12T00:00Z")
    endpoint.model = "fern-3"
    write_endpoint(endpoint, KeyChoice("stored"))

    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.model, endpoint.key_last4) == ("Renamed", "fern-3", "mnop")


def test_a_private_service_is_called_only_if_the_operator_lists_it(
    environment: pytest.MonkeyPatch,
) -> None:
    with ModelServer() as server:
        endpoint = make_endpoint(base_url=server.url)
        for listed in ("", "10.0.0.0/8", f"127.0.0.1:{server.port + 1}"):
            environment.setenv("TOUCHSTONE_PRIVATE_ENDPOINTS", listed)
            with pytest.raises(CallError, match="Only the operator can allow it"):
                ask(connection_of(endpoint), HI)
        environment.setenv("TOUCHSTONE_PRIVATE_ENDPOINTS", "127.0.0.1/99")
        with pytest.raises(CallError, match="TOUCHSTONE_PRIVATE_ENDPOINTS cannot be read"):
            connection_of(endpoint)
        assert server.connections == 0

        environment.setenv("TOUCHSTONE_PRIVATE_ENDPOINTS", f"127.0.0.1:{server.port}")
        assert ask(connection_of(endpoint), HI).text == "Answer to Hi"


def test_stand_ins_answer_at_once_and_open_no_other_port_of_this_machine() -> None:
    made = ensure_stand_ins()

    assert {system: one.name for system, one in made.items()} == {
        "baseline": "Stand-in, baseline",
        "candidate": "Stand-in, candidate",
        "judge": "Stand-in, judge",
    }
    connection = connection_of(made["baseline"])
    assert ask(connection, HI).model == "stand-in-baseline"
    assert all(one.has_price for one in made.values())
    assert ensure_stand_ins() == made
    with ModelServer() as server:
        elsewhere = make_endpoint(base_url=server.url)
        with pytest.raises(CallError):
            ask(connection_of(elsewhere), HI)
        (entry,) = connection.opening.entries
        assert entry.port == int(connection.base_url.split(":")[2].split("/")[0])
        assert server.connections == 0


def test_stand_ins_do_not_take_the_name_of_a_service_and_are_made_anew_when_archived() -> None:
    service = make_endpoint("Stand-in, baseline")
    first = ensure_stand_ins()["baseline"]
    assert archive(first)
    assert not archive(first)

    second = ensure_stand_ins()["baseline"]

    assert [one.name for one in (service, first, second)] == [
        "Stand-in, baseline", "Stand-in, baseline 2", "Stand-in, baseline 3",
    ]  # fmt: skip
    assert bring_back(first)
    assert ensure_stand_ins()["baseline"] == first


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_sixteen_who_want_the_stand_ins_at_once_get_the_same_three() -> None:
    found = in_parallel(16, lambda _: tuple(one.pk for one in ensure_stand_ins().values()))

    assert len(set(found)) == 1
    assert Endpoint.objects.count() == 3
