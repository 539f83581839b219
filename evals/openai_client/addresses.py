"""Which addresses may be called: public ones over HTTPS, and those the operator has listed.

What a name resolves to is judged at the moment of connecting (see `transport`); here are the
rules alone, without any network.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

IP: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS = {"http": 80, "https": 443}
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# What the registries of IANA set aside (Python's own tables are as old as Python), and tunnels:
# what those lead to is an address that nobody has checked.
SET_ASIDE = tuple(
    ipaddress.ip_network(written)
    for written in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip
# Never of a service, so that a listed name opens them as little as any other name. The address
# of cloud metadata is among them.
NEVER_BY_NAME = (
    ipaddress.ip_network("169.254.0.0/16"),
    ipaddress.ip_network("fe80::/10"),
    ipaddress.ip_network("fd00:ec2::254/128"),
    ipaddress.ip_network("0.0.0.0/8"),
    ipaddress.ip_network("::/128"),
    ipaddress.ip_network("224.0.0.0/3"),
    ipaddress.ip_network("ff00::/8"),
)
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)")


class AddressError(ValueError):
    """The address may not be called; the message says why, in one sentence, without a key."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a base URL leads: the three parts of an origin."""

    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Opened:
    """One entry of the operator's list: a name or a network, on one port or on all."""

    host: str = ""
    network: Network | None = None
    port: int | None = None

    def permits(self, target: Target, address: IP) -> bool:
        if self.port is not None and self.port != target.port:
            return False
        if self.network is not None:
            return address.version == self.network.version and address in self.network
        named = self.host == target.host
        return named and not any(_within(address, network) for network in NEVER_BY_NAME)


@dataclass(frozen=True, slots=True)
class Opening:
    """Hosts that may be called although they are not public, and without TLS."""

    entries: tuple[Opened, ...] = ()

    def permits(self, target: Target, address: IP) -> bool:
        return any(entry.permits(target, address) for entry in self.entries)

    def may_open(self, target: Target) -> bool:
        """Whether the name could be permitted, as far as a name alone can tell."""
        names = {entry.host for entry in self.entries}
        has_networks = any(entry.network is not None for entry in self.entries)
        return has_networks or target.host in names


def opening_of(written: str) -> Opening:
    """Read the operator's list: `host`, `host:port`, an address or a network, with commas.

    Raises
    ------
    AddressError
        For an entry that is none of these.
    """
    parts = [part.strip().lower() for part in written.split(",")]
    return Opening(tuple(_opened(part) for part in parts if part))


def _opened(part: str) -> Opened:
    try:
        return Opened(network=ipaddress.ip_network(part.strip("[]")))
    except ValueError:
        pass
    host, colon, port = part.rpartition(":")
    if not colon:
        host, port = part, ""
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise AddressError(f"{part!r} is no host, host:port, address or network.")
    number = int(port) if port else None
    try:
        return Opened(network=ipaddress.ip_network(host.strip("[]")), port=number)
    except ValueError:
        if not _NAME.fullmatch(host) or _is_number(host):
            raise AddressError(f"{part!r} is no host, host:port, address or network.") from None
    return Opened(host=host.rstrip("."), port=number)


def target_of(base_url: str) -> Target:
    """The origin of a base URL, if it is written the one way that leaves no doubt.

    Raises
    ------
    AddressError
        For everything else: other schemes, user names, numbers that some programs read as an
        address, queries and fragments.
    """
    if not base_url.isascii() or not base_url.isprintable() or " " in base_url:
        raise AddressError("The address holds a space or a character outside ASCII.")
    if "\\" in base_url:
        raise AddressError("The address holds a backslash. Write slashes.")
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        raise AddressError("The address cannot be read: its host or port is no such.") from None
    _plain(base_url, parts)
    if port == 0:
        raise AddressError("The address names port 0, where nothing can answer.")
    return Target(parts.scheme, _host(parts), port or PORTS[parts.scheme])


def _plain(base_url: str, parts: SplitResult) -> None:
    if parts.scheme not in PORTS or not parts.netloc:
        raise AddressError("The address does not begin with https://")
    if "@" in parts.netloc:
        raise AddressError("The address holds a user name. Keys are given apart from it.")
    if "?" in base_url or "#" in base_url:
        raise AddressError("The address holds a query or a fragment. Leave off ? and #.")


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        return _literal(host)
    if not _NAME.fullmatch(host) or len(host) > 253:
        raise AddressError("The address names no host.")
    return _literal(host) if _is_number(host) else host.rstrip(".")


def _literal(host: str) -> str:
    """An address written in full; 127.1, 0x7f000001 and zones such as %eth0 are refused."""
    try:
        if "%" in host:
            raise ValueError
        return str(ipaddress.ip_address(host))
    except ValueError:
        raise AddressError(f"{host} is no address written in full.") from None


def _is_number(host: str) -> bool:
    """Whether programs may read the name as a number, and so as an address."""
    return _NUMBER.fullmatch(host.rstrip(".").rsplit(".", 1)[-1]) is not None


def check_address(target: Target, address: IP, opening: Opening) -> None:
    """Refuse an address that a name led to, unless it is public or the operator's.

    Raises
    ------
    AddressError
        Without telling the address itself: what a name means inside is nobody's business.
    """
    judged = _unwrapped(address)
    if opening.permits(target, judged):
        return
    listed = "Only the operator can allow it, in TOUCHSTONE_PRIVATE_ENDPOINTS."
    if target.scheme != "https":
        raise AddressError(f"{target.host} would be called without TLS. {listed}")
    if not is_public(judged):
        raise AddressError(f"{target.host} is not a public address. {listed}")


def is_public(address: IP) -> bool:
    """Whether anybody on the internet could reach the address."""
    judged = _unwrapped(address)
    if any(_within(judged, network) for network in SET_ASIDE):
        return False
    return judged.is_global and (judged.version == 4 or judged in GLOBAL_UNICAST)


def _unwrapped(address: IP) -> IP:
    """The IPv4 address inside an IPv6 one that only translates it."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _within(address: IP, network: Network) -> bool:
    return address.version == network.version and address in network
