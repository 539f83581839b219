"""Who judged elsewhere: somebody with an account here, or somebody without one."""

from uuid import uuid4

from django.contrib.auth.hashers import make_password
from django.db import connection

from annotate.models import Role, Study, User
from annotate.receiving.statements import PEOPLE

MOST_PEOPLE = 20_000
# Nobody can own an address that ends like this (RFC 2606), nor be sent a letter there.
NOWHERE = "outside.invalid"


class TooManyPeopleError(Exception):
    """More people than a file of judgements has: the column is probably another one."""


def find_people(study: Study) -> None:
    """Say of every annotator of the file who they are; those unknown so far are made.

    They are known by their address, else by their name among those who have judged
    elsewhere for this study.
    """
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, {"limit": MOST_PEOPLE + 1})
        names = [name for (name,) in cursor.fetchall()]
    if len(names) > MOST_PEOPLE:
        raise TooManyPeopleError
    found = _with_account(names)
    rest = [name for name in names if name not in found]
    found |= _outside(study, rest)
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY received_people (annotator, person) FROM STDIN") as copy,
    ):
        for name, user in found.items():
            copy.write_row((name, user.pk))


def _with_account(names: list[str]) -> dict[str, User]:
    addresses = {name: name.strip().lower() for name in names if "@" in name}
    there_are = User.objects.filter(email__in=set(addresses.values()), outside_of=None)
    by_address = {user.email: user for user in there_are}
    return {name: by_address[a] for name, a in addresses.items() if a in by_address}


def _outside(study: Study, names: list[str]) -> dict[str, User]:
    known = {user.name: user for user in User.objects.filter(outside_of=study, name__in=names)}
    new = [_nobody_signs_in_as(study, name) for name in names if name not in known]
    User.objects.bulk_create(new, batch_size=1000)
    return known | {user.name: user for user in new}


def _nobody_signs_in_as(study: Study, name: str) -> User:
    """A person without an account: not active, no password, an address that leads nowhere."""
    key = uuid4()
    return User(
        id=key,
        email=f"{key.hex}@{NOWHERE}",
        name=name,
        role=Role.ANNOTATOR,
        is_active=False,
        password=make_password(None),
        outside_of=study,
    )
