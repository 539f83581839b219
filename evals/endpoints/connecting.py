"""From a row to a connection: with its key, if it may have it."""

from evals import stand_in
from evals.endpoints import environment
from evals.endpoints.sealing import SealError, unseal
from evals.models import Endpoint
from evals.openai_client import (
    AddressError,
    CallError,
    Connection,
    Opening,
    opening_of,
    target_of,
)


def connection_of(endpoint: Endpoint) -> Connection:
    """How to call an endpoint. A stand-in is served by this process, from the first call on.

    Raises
    ------
    CallError
        `no_key` when the key is missing, cannot be read, or was given for another address;
        `refused_address` when the address cannot be one.
    """
    if endpoint.kind == Endpoint.Kind.STAND_IN:
        url = stand_in.shared_url()
        # This one address of our own, whatever the operator's list says.
        opening = opening_of(f"127.0.0.1:{target_of(url).port}")
    else:
        url = endpoint.base_url
        opening = _opening()
    return Connection(
        base_url=url,
        model=endpoint.model,
        key=key_of(endpoint),
        timeout_seconds=endpoint.timeout_seconds,
        streaming=endpoint.streaming,
        opening=opening,
    )


def _opening() -> Opening:
    try:
        return environment.opening()
    except AddressError as error:
        raise CallError("refused_address", str(error)) from None


def key_of(endpoint: Endpoint) -> str | None:
    """The key, for the origin that it was given for and no other."""
    if endpoint.key_source == Endpoint.KeySource.NONE:
        return None
    origin = _origin_of(endpoint)
    if endpoint.key_origin != origin:
        raise CallError("no_key", f"The key of {endpoint.name} was given for another address.")
    if endpoint.key_source == Endpoint.KeySource.STORED:
        try:
            return unseal(endpoint.key_encrypted, origin)
        except SealError as error:
            raise CallError("no_key", str(error)) from None
    return _key_of_environment(endpoint.key_variable, origin)


def _origin_of(endpoint: Endpoint) -> str:
    try:
        return target_of(endpoint.base_url).origin
    except AddressError as error:
        raise CallError("refused_address", str(error)) from None


def _key_of_environment(variable: str, origin: str) -> str:
    if not environment.may_hold_a_key(variable):
        raise CallError("no_key", f"No key may be taken from the variable {variable}.")
    bound = environment.origin_of_key(variable)
    if bound and not _is_origin(bound, origin):
        raise CallError("no_key", f"The key in {variable} may not be sent to this address.")
    key = environment.key_in(variable)
    if not key:
        raise CallError("no_key", f"The variable {variable} is not set where the call was made.")
    return key


def _is_origin(written: str, origin: str) -> bool:
    try:
        return target_of(written).origin == origin
    except AddressError:
        return False
