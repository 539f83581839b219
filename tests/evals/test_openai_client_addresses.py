"""Which addresses are called: public ones over TLS, the operator's, no other in any disguise."""

import ipaddress
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpcore2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from evals.openai_client import (
    AddressError,
    CallError,
    Connection,
    Net,
    Opening,
    Request,
    ask,
    opening_of,
    target_of,
)
from evals.openai_client.addresses import IP, is_public
from evals.openai_client.network import dial_address
from evals.openai_client.transport import trusted
from tests.evals.model_server import ModelServer

HI = Request([{"role": "user", "content": "Hi"}])


@pytest.fixture(scope="module")
def trap() -> Iterator[ModelServer]:
    """Listens on every address of this machine, and must not be called."""
    with ModelServer(host="::") as server:
        yield server


def failure(connection: Connection, net: Net | None = None) -> CallError:
    with pytest.raises(CallError) as raised:
        ask(connection, HI, net=net)
    return raised.value


# PORT is the trap's.
URLS = [
    "http://127.0.0.1:PORT/v1", "https://127.0.0.1:PORT/v1", "http://localhost:PORT/v1",
    "https://localhost:PORT/v1", "https://localhost.:PORT/v1", "https://LOCALHOST:PORT/v1",
    "https://127.1:PORT/v1", "https://127.0.1:PORT/v1", "https://2130706433:PORT/v1",
    "https://0x7f000001:PORT/v1", "https://0x7f.0.0.1:PORT/v1", "https://0177.0.0.1:PORT/v1",
    "https://017700000001:PORT/v1", "https://127.0.0.1.:PORT/v1", "https://0:PORT/v1",
    "https://0.0.0.0:PORT/v1", "https://[::]:PORT/v1", "https://[::1]:PORT/v1",
    "https://[0:0:0:0:0:0:0:1]:PORT/v1", "https://[::ffff:127.0.0.1]:PORT/v1",
    "https://[::ffff:7f00:1]:PORT/v1", "https://[::127.0.0.1]:PORT/v1",
    "https://[64:ff9b::127.0.0.1]:PORT/v1", "https://[64:ff9b::7f00:1]:PORT/v1",
    "https://[2002:7f00:1::]:PORT/v1", "https://[2001:0:7f00:1::]:PORT/v1",
    "https://[fe80::1]:PORT/v1", "https://[fe80::1%25lo]:PORT/v1", "https://[fc00::1]:PORT/v1",
    "https://[fd00:ec2::254]:PORT/v1", "https://[ff02::1]:PORT/v1",
    "https://169.254.169.254/latest", "http://169.254.169.254/latest/meta-data",
    "https://[::ffff:169.254.169.254]/latest", "https://100.64.0.1/v1", "https://10.0.0.1/v1",
    "https://172.16.5.4/v1", "https://192.168.1.1/v1", "https://192.0.2.1/v1",
    "https://198.18.0.1/v1", "https://203.0.113.9/v1", "https://224.0.0.1/v1",
    "https://240.0.0.1/v1", "https://255.255.255.255/v1", "https://192.88.99.1/v1",
    "https://user@127.0.0.1:PORT/v1", "https://user:pw@localhost:PORT/v1",
    "https://public.example@127.0.0.1:PORT/v1", "https://127.0.0.1:PORT@public.example/v1",
    "https://127.0.0.1:PORT\\@public.example/v1", "https://public.example#@127.0.0.1:PORT/v1",
    "https://127.0.0.1:PORT/v1?x=1", "https://127.0.0.1:PORT/v1#x", "https://127。0。0。1:PORT/v1",
    "https://①②⑦.0.0.1:PORT/v1", "https://ⓛocalhost:PORT/v1", "https://local%68ost:PORT/v1",
    "https://127.0.0.1 :PORT/v1", "https://127.0.0.1\t:PORT/v1", " https://127.0.0.1:PORT/v1",
    "https:127.0.0.1:PORT/v1", "https:///127.0.0.1:PORT/v1", "//127.0.0.1:PORT/v1",
    "127.0.0.1:PORT/v1", "file:///etc/passwd", "gopher://127.0.0.1:PORT/_x",
    "ftp://127.0.0.1:PORT/", "unix:///tmp/socket", "javascript:alert(1)", "data:text/plain,x", "",
    "https://", "https://:PORT/v1", "https://[::1/v1", "https://127.0.0.1:99999/v1",
    "https://127.0.0.1:0/v1", "https://-x:PORT/v1", "https://a..b:PORT/v1",
]  # fmt: skip


@pytest.mark.parametrize("written", URLS)
def test_no_address_of_this_machine_or_its_network_is_called(
    trap: ModelServer, written: str
) -> None:
    connection = Connection(written.replace("PORT", str(trap.port)), "m", "sk-key")

    error = failure(connection)

    assert error.kind == "refused_address"
    assert trap.count() == 0
    assert trap.connections == 0


def test_the_trap_is_there_and_is_called_where_the_operator_lists_it() -> None:
    with ModelServer(host="::") as server:
        for host, opened in [
            ("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"),
            ("localhost", f"localhost:{server.port}"), ("localhost.", "LOCALHOST"),
            ("127.0.0.1", "127.0.0.0/8"), ("[::1]", "::1"), ("localhost", "127.0.0.0/8, ::1"),
            ("[::1]", f"[::1]:{server.port}"), ("[::ffff:127.0.0.1]", "127.0.0.1"),
        ]:  # fmt: skip
            connection = Connection(
                f"http://{host}:{server.port}/v1", "m", opening=opening_of(opened)
            )
            assert ask(connection, HI).text == "Answer to Hi", (host, opened)
        assert server.count() == 9


@pytest.mark.parametrize(
    "opened",
    ["", "models.internal", "127.0.0.2", "10.0.0.0/8", "127.0.0.1:1", "localhost:1", "[::1]:1"],
)
def test_another_entry_of_the_list_opens_nothing(trap: ModelServer, opened: str) -> None:
    for host in ("127.0.0.1", "localhost", "[::1]"):
        connection = Connection(f"http://{host}:{trap.port}/v1", "m", opening=opening_of(opened))
        assert failure(connection).kind == "refused_address"
    assert trap.connections == 0


def test_a_listed_name_opens_no_metadata_address() -> None:
    opening = opening_of("models.internal")
    for address in ("169.254.169.254", "fe80::1", "0.0.0.1", "224.0.0.1", "fd00:ec2::254"):
        net = Net(resolve=always(address), dial=never)
        connection = Connection("http://models.internal/v1", "m", opening=opening)
        assert failure(connection, net).kind == "refused_address"
    by_network = Connection(
        "http://models.internal/v1", "m", opening=opening_of("169.254.0.0/16"), timeout_seconds=1
    )
    dialled: list[str] = []
    failure(by_network, Net(resolve=always("169.254.1.1"), dial=recording(dialled)))
    assert dialled == ["169.254.1.1"]


@pytest.mark.parametrize("entry", ["127.0.0.1/33", "a b", "host:0", "host:99999", "http://x", "*"])
def test_a_list_that_cannot_be_read_is_refused_whole(entry: str) -> None:
    with pytest.raises(AddressError):
        opening_of(f"models.internal, {entry}")


def always(*addresses: str):  # type: ignore[no-untyped-def]
    return lambda host, port: [ipaddress.ip_address(address) for address in addresses]


def never(address: str, port: int, timeout: float) -> httpcore2.NetworkStream:
    raise AssertionError(f"{address} was called")


def recording(dialled: list[str]):  # type: ignore[no-untyped-def]
    def dial(address: str, port: int, timeout: float) -> httpcore2.NetworkStream:
        dialled.append(address)
        raise httpcore2.ConnectError("nobody")

    return dial


class Rebinding:
    """A name server that answers with a public address once, and then with this machine's."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, host: str, port: int) -> Sequence[IP]:
        self.asked += 1
        return [ipaddress.ip_address("93.184.215.14" if self.asked == 1 else "127.0.0.1")]


def test_a_name_that_changes_its_address_between_check_and_call_is_called_at_the_checked_one(
    trap: ModelServer,
) -> None:
    names = Rebinding()
    dialled: list[str] = []
    connection = Connection(f"https://rebind.example:{trap.port}/v1", "m", timeout_seconds=2)
    net = Net(resolve=names, dial=recording(dialled))

    first, second = failure(connection, net), failure(connection, net)

    assert (first.kind, dialled, names.asked) == ("unreachable", ["93.184.215.14"], 2)
    assert second.kind == "refused_address"
    assert trap.connections == 0


def test_a_name_with_one_address_inside_is_refused_whole() -> None:
    for addresses in (["93.184.215.14", "127.0.0.1"], ["10.0.0.1", "93.184.215.14"]):
        net = Net(resolve=always(*addresses), dial=never)
        assert failure(Connection("https://two.example/v1", "m"), net).kind == "refused_address"


def test_a_refusal_does_not_tell_what_a_name_means_inside() -> None:
    net = Net(resolve=always("10.20.30.40"), dial=never)

    error = failure(Connection("https://secret.internal/v1", "m"), net)

    assert "10.20" not in str(error)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with ModelServer() as trap, ModelServer(redirect_to=trap.url) as server:
        for streaming in (False, True):
            server.fault = str(status)
            error = failure(server.connection(streaming=streaming, key="sk-key"))
            assert (error.kind, error.status) == ("redirected", status)
        assert (server.count(), trap.count()) == (2, 0)

        assert ask(trap.connection(), HI).text == "Answer to Hi"
        assert trap.count() == 1


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("93.184.215.14", True), ("2606:4700::1111", True),
        ("64:ff9b::808:808", True), ("::ffff:8.8.8.8", True), ("2001:4860:4860::8888", True),
        ("64:ff9b:1::7f00:1", False), ("2002:808:808::1", False), ("2001::1", False),
        ("192.0.0.8", False), ("198.51.100.1", False), ("100.127.255.255", False),
        ("2001:db8::1", False), ("::8.8.8.8", False), ("4000::1", False), ("fec0::1", False),
        ("100::1", False), ("5f00::1", False),
    ],
)  # fmt: skip
def test_public_is_what_the_registries_call_global(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


def test_a_public_address_is_called_over_tls_alone() -> None:
    dialled: list[str] = []
    net = Net(resolve=always("93.184.215.14"), dial=recording(dialled))

    assert failure(Connection("http://public.example/v1", "m"), net).kind == "refused_address"
    assert dialled == []
    assert failure(Connection("https://public.example/v1", "m"), net).kind == "unreachable"
    assert dialled == ["93.184.215.14"]


def test_a_name_server_that_hangs_does_not_hold_the_call() -> None:
    def slow(host: str, port: int) -> Sequence[IP]:
        waiting.recv(1)
        return []

    waiting, other = socket.socketpair()
    error = failure(
        Connection("https://slow.example/v1", "m", timeout_seconds=0.3), Net(resolve=slow)
    )
    other.close()
    waiting.close()
    assert error.kind == "unreachable"
    assert error.latency_ms < 1500


def test_origins_are_equal_for_one_service_however_it_is_written() -> None:
    same = {
        target_of(url).origin
        for url in (
            "https://Models.Example/v1", "https://models.example:443/v2/", "HTTPS://models.example",
        )
    }  # fmt: skip
    assert same == {"https://models.example:443"}
    assert target_of("https://[2001:4860::0]/v1").origin == "https://[2001:4860::]:443"


@contextmanager
def tls_server(folder: Path, name: str) -> Iterator[tuple[ModelServer, list[str | None]]]:
    """The model server behind TLS with a certificate for `name`, and the names clients ask for."""
    certificate, key = certificate_for(folder, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    names: list[str | None] = []
    context.sni_callback = lambda sock, name, ctx: names.append(name)
    with ModelServer(tls=context) as server:
        yield server, names


def certificate_for(folder: Path, name: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def fresh_trust(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    trusted.cache_clear()
    yield monkeypatch
    trusted.cache_clear()


def test_the_checked_address_is_called_under_the_name_of_the_service(
    tmp_path: Path, fresh_trust: pytest.MonkeyPatch
) -> None:
    with tls_server(tmp_path, "models.test") as (server, names):
        fresh_trust.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        net = Net(resolve=always("127.0.0.1"), dial=dial_address)
        opening = opening_of("models.test")
        url = f"https://models.test:{server.port}/v1"

        assert ask(Connection(url, "m", opening=opening), HI, net=net).text == "Answer to Hi"

        assert names == ["models.test"]
        assert server.calls[0].headers["Host"] == f"models.test:{server.port}"
        # The certificate is for the name, and for no other that leads to the same address.
        other = Connection(url.replace("models", "others"), "m", opening=opening_of("others.test"))
        error = failure(other, net)
        assert error.kind == "unreachable"
        assert "certificate" in str(error)
        assert server.count() == 1


def test_a_certificate_of_nobody_known_is_refused(
    tmp_path: Path, fresh_trust: pytest.MonkeyPatch
) -> None:
    with tls_server(tmp_path, "localhost") as (server, _):
        opening: Opening = opening_of("localhost")
        connection = Connection(f"https://localhost:{server.port}/v1", "m", "sk-1", opening=opening)
        error = failure(connection)

    assert error.kind == "unreachable"
    assert "certificate verify failed" in str(error)
    assert server.count() == 0
