"""Accounts after they were made: roles, who may sign in, and ways back in."""

import logging
from uuid import UUID

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from annotate.models import Role, User

log = logging.getLogger("touchstone.people")


class LastAdminError(Exception):
    """Without an active admin nobody could ever make one again."""

    def __init__(self) -> None:
        super().__init__(
            "This is the last active admin. Make somebody else an admin first, then try again."
        )


def change_role(user_id: UUID, role: str, *, by: User) -> User:
    """Give somebody another role; it holds from their next request on.

    Raises
    ------
    LastAdminError
        If no active admin would be left.
    """
    with transaction.atomic():
        user = _lock(user_id)
        if role != Role.ADMIN:
            _refuse_last_admin(user)
        user.role = Role(role)
        user.save(update_fields=["role"])
    log.info("role of %s is %s, changed by %s", user.pk, role, by.pk)
    return user


def deactivate(user_id: UUID, *, by: User) -> User:
    """Shut somebody out at their next request, and for as long as they are not reactivated.

    Raises
    ------
    LastAdminError
        If no active admin would be left.
    """
    with transaction.atomic():
        user = _lock(user_id)
        _refuse_last_admin(user)
        user.is_active = False
        user.save(update_fields=["is_active"])
        end_sessions(user)
    log.info("%s deactivated by %s", user.pk, by.pk)
    return user


def reactivate(user_id: UUID, *, by: User) -> User:
    """Let somebody sign in again; sessions from before stay ended."""
    with transaction.atomic():
        user = _lock(user_id)
        end_sessions(user)
        user.is_active = True
        user.save(update_fields=["is_active"])
    log.info("%s reactivated by %s", user.pk, by.pk)
    return user


def _lock(user_id: UUID) -> User:
    """The user, locked together with all active admins, always in the same order.

    Of two admins who demote each other at once the second waits here, reads the rows
    again, and finds itself the last one.
    """
    admins = User.objects.filter(role=Role.ADMIN, is_active=True)
    list(admins.select_for_update().order_by("pk"))
    return User.objects.select_for_update().get(pk=user_id)


def _refuse_last_admin(user: User) -> None:
    others = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=user.pk)
    if user.is_admin and user.is_active and not others.exists():
        raise LastAdminError


def end_sessions(user: User) -> int:
    """Sign somebody out everywhere."""
    sessions = Session.objects.filter(expire_date__gt=timezone.now())
    theirs = [
        session.pk
        for session in sessions.iterator()
        if session.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    return Session.objects.filter(pk__in=theirs).delete()[0]


def reset_link(user: User, *, by: User) -> str:
    """A link to choose a new password: for 24 hours, until it is used or they sign in."""
    log.info("reset link for %s made by %s", user.pk, by.pk)
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    return reset_address(key)


def reset_address(key: str) -> str:
    """The address of a reset link; its host comes from the settings, never from a request."""
    uid, token = key.split("-", 1)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
    return str(settings.BASE_URL + path)


def has_second_factor(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists())


def remove_second_factor(user: User, *, by: User) -> None:
    """For somebody who lost their authenticator and their recovery codes."""
    Authenticator.objects.filter(user=user).delete()
    log.info("second factor of %s removed by %s", user.pk, by.pk)
