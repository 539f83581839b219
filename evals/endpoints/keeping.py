"""Endpoints are written here: made, changed, archived, and given or refused their keys."""

from dataclasses import dataclass, field
from typing import Literal

from django.db import transaction
from django.utils import timezone

from evals.endpoints.sealing import last4_of, seal
from evals.models import Endpoint, Run
from evals.openai_client import target_of

# A run is asked from its first case to its last at one and the same system.
FIXED_WHILE_RUNNING = ("base_url", "model", "parameters", "streaming")

Source = Literal["none", "environment", "stored"]


@dataclass(frozen=True, slots=True)
class KeyChoice:
    """Where the key comes from. An empty `key` keeps the stored one, if its origin remains."""

    source: Source = "none"
    variable: str = ""
    key: str = field(default="", repr=False)


class BusyEndpointError(Exception):
    """Runs are asking this endpoint, and it would not be the same system any more."""


class KeyWantedError(Exception):
    """A key was to be kept that is not there, or that belongs to another address."""


def origin_of(endpoint: Endpoint) -> str:
    """Scheme, host and port; "" for a stand-in. Raises AddressError for what is no address."""
    is_service = endpoint.kind == Endpoint.Kind.SERVICE
    return target_of(endpoint.base_url).origin if is_service else ""


def write_endpoint(endpoint: Endpoint, choice: KeyChoice) -> Endpoint:
    """Store an endpoint with its key, new or changed.

    Raises
    ------
    BusyEndpointError
        When runs are asking it and what they ask would change.
    KeyWantedError
        When the stored key is to be kept, but there is none for this address.
    """
    with transaction.atomic():
        if endpoint.pk is not None:
            _refuse_if_busy(endpoint)
        _give_key(endpoint, choice)
        endpoint.save()
    return endpoint


def _refuse_if_busy(endpoint: Endpoint) -> None:
    before = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
    changed = [name for name in FIXED_WHILE_RUNNING if _differs(before, endpoint, name)]
    if not changed:
        return
    count = running_count(endpoint)
    if count:
        runs = "1 run is" if count == 1 else f"{count} runs are"
        raise BusyEndpointError(
            f"{runs} being asked here, and one run asks one system: address, model, parameters "
            "and streaming can be changed when it has ended, or in a new endpoint."
        )


def _differs(before: Endpoint, after: Endpoint, name: str) -> bool:
    return bool(getattr(before, name) != getattr(after, name))


def running_count(endpoint: Endpoint) -> int:
    return Run.objects.filter(endpoint=endpoint, state=Run.State.RUNNING).count()


def _give_key(endpoint: Endpoint, choice: KeyChoice) -> None:
    origin = origin_of(endpoint)
    if _keeps(endpoint, choice):
        if endpoint.key_origin != origin:
            raise KeyWantedError(_moved(endpoint))
        return
    if choice.source == "stored" and not choice.key:
        raise KeyWantedError("Write the key, or choose that there is none.")
    endpoint.key_source = choice.source
    endpoint.key_variable = choice.variable if choice.source == "environment" else ""
    endpoint.key_encrypted = seal(choice.key, origin) if choice.source == "stored" else ""
    endpoint.key_last4 = last4_of(choice.key) if choice.source == "stored" else ""
    endpoint.key_origin = origin if choice.source != "none" else ""


def _keeps(endpoint: Endpoint, choice: KeyChoice) -> bool:
    """Whether the choice is what there is already: nobody has made it for a new address."""
    same_source = endpoint.key_source == choice.source != "none"
    return same_source and not choice.key and endpoint.key_variable == choice.variable


def _moved(endpoint: Endpoint) -> str:
    if endpoint.key_source == Endpoint.KeySource.STORED:
        return "Write the key: a key is sent to no other address than the one it was given for."
    return (
        f"The key in {endpoint.key_variable} was chosen for {endpoint.key_origin}. To send it "
        "elsewhere, keep the new address with no key first, then choose the variable again."
    )


def archive(endpoint: Endpoint) -> bool:
    """Take an endpoint out of the choice for new runs; those under way go on. Whether it was in."""
    open_ones = Endpoint.objects.filter(pk=endpoint.pk, archived_at=None)
    return bool(open_ones.update(archived_at=timezone.now()))


def bring_back(endpoint: Endpoint) -> bool:
    archived = Endpoint.objects.filter(pk=endpoint.pk, archived_at__isnull=False)
    return bool(archived.update(archived_at=None))
