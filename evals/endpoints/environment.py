"""What the operator says in the environment about calls to services.

Read when it is needed, not at start: a worker started with another environment has another say.
"""

import os
import re

from evals.openai_client import AddressError, Opening, opening_of

OPENED = "TOUCHSTONE_PRIVATE_ENDPOINTS"
SEALING_KEYS = "TOUCHSTONE_ENDPOINT_KEYS"
LISTED_VARIABLES = "TOUCHSTONE_KEYS_FROM"
KEY_PREFIX = "TOUCHSTONE_KEY_"
ORIGIN_SUFFIX = "_ORIGIN"

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,99}")


def listed(name: str) -> list[str]:
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]


def opening() -> Opening:
    """The hosts that may be called although they are not public.

    Raises
    ------
    AddressError
        For an entry that cannot be read: a list that is half understood opens nothing.
    """
    try:
        return opening_of(os.environ.get(OPENED, ""))
    except AddressError as error:
        raise AddressError(f"{OPENED} cannot be read: {error}") from None


def may_hold_a_key(variable: str) -> bool:
    """Whether a key may be taken from this variable.

    Whoever makes an endpoint chooses where its key is sent. Of the variables of a worker only
    those made for this purpose may be chosen, never the database's password or our own secret.
    """
    if not _VARIABLE.fullmatch(variable):
        return False
    return variable.startswith(KEY_PREFIX) or variable in listed(LISTED_VARIABLES)


def key_in(variable: str) -> str:
    """The key, or "" where the variable is not set."""
    return os.environ.get(variable, "").strip()


def origin_of_key(variable: str) -> str:
    """The only address that the operator lets this key go to, or "" for any."""
    return os.environ.get(variable + ORIGIN_SUFFIX, "").strip()
