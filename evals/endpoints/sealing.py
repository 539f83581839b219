"""Keys of services, encrypted for the database.

What is encrypted is the key together with its origin: a row that was tampered with cannot lead a
key to another address.
"""

import base64
import json
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction

from evals.endpoints.environment import SEALING_KEYS, listed
from evals.models import Endpoint

# Of a shorter key four letters would be a good part.
SHOWN_FROM = 16
SHOWN = 4


class SealError(Exception):
    """A stored key cannot be read, or none can be stored; the message says what to do."""


def seal(key: str, origin: str) -> str:
    return _sealer().encrypt(json.dumps([origin, key]).encode()).decode()


def unseal(sealed: str, origin: str) -> str:
    """The key, if it was given for this origin.

    Raises
    ------
    SealError
        If it was given for another, or if none of the present keys opens it.
    """
    try:
        given_for, key = json.loads(_sealer().decrypt(sealed.encode()))
    except (InvalidToken, ValueError):
        raise SealError(
            f"The stored key cannot be decrypted: {SEALING_KEYS} or the secret key has changed. "
            "Give the key again."
        ) from None
    if given_for != origin:
        raise SealError("The stored key was given for another address. Give it again.")
    return str(key)


def last4_of(key: str) -> str:
    """What may be shown of a key, so that people know which one it is."""
    return key[-SHOWN:] if len(key) >= SHOWN_FROM else ""


def rotate_keys() -> tuple[int, list[str]]:
    """Encrypt every stored key anew with the first of the present keys.

    Returns how many were, and the names of endpoints whose key could not be read.
    """
    done, unread = 0, []
    with transaction.atomic():
        stored = Endpoint.objects.filter(key_source=Endpoint.KeySource.STORED).order_by("pk")
        for endpoint in stored.select_for_update():
            try:
                endpoint.key_encrypted = _sealer().rotate(endpoint.key_encrypted.encode()).decode()
            except InvalidToken:
                unread.append(endpoint.name)
                continue
            endpoint.save(update_fields=["key_encrypted"])
            done += 1
    return done, unread


def _sealer() -> MultiFernet:
    """The keys of the environment, the first of which encrypts, and the derived one."""
    given = []
    for number, key in enumerate(listed(SEALING_KEYS), start=1):
        try:
            given.append(Fernet(key))
        except ValueError:
            raise SealError(
                f"Key {number} of {SEALING_KEYS} is no Fernet key. Make one with: python -c "
                '"from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
            ) from None
    return MultiFernet([*given, _derived(settings.SECRET_KEY)])


@cache
def _derived(secret: str) -> Fernet:
    """For installations that name no keys: derived from the secret key, and bound to this use."""
    derive = HKDF(SHA256(), 32, salt=None, info=b"touchstone: keys of endpoints")
    return Fernet(base64.urlsafe_b64encode(derive.derive(secret.encode())))
