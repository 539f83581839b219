"""Invitations: a link that lets one person make one account, and how it is used up."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.urls import reverse

from annotate.models import Invitation, Role, State, Study, User
from annotate.steering import assign

LIFETIME = timedelta(days=7)
AS = {Role.ANNOTATOR: "an annotator", Role.LEAD: "a lead", Role.ADMIN: "an admin"}
LETTER = """You are invited to Touchstone as {role}.

Choose your name and password here, within {days} days:

{link}

The link works once. If you did not expect it, leave it alone.
"""


class RefusedInvitationError(Exception):
    """Nobody can be invited like this; the message says why and what to do."""


class InvitationGoneError(Exception):
    """The invitation is unknown, used, revoked or too old: whoever asks is not told which."""


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation and its link, which is known at this moment only."""

    invitation: Invitation
    link: str


def invite(
    email: str, role: str, *, study: Study | None = None, invited_by: User | None = None
) -> Invited:
    """Invite an address; what it was sent before stops working.

    Raises
    ------
    RefusedInvitationError
        If it is no address, has an account already, or the study is closed.
    """
    email = _checked(email)
    if study is not None and study.state == State.CLOSED:
        raise RefusedInvitationError(f"Study '{study.slug}' is closed: nobody can join it.")
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        pending().filter(email=email).update(expires_at=Now())
        invitation = Invitation.objects.create(
            token_hash=hash_of(token),
            email=email,
            role=role,
            study=study,
            invited_by=invited_by,
            expires_at=Now() + LIFETIME,
        )
    return Invited(invitation, settings.BASE_URL + reverse("join", args=[token]))


def _checked(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
        Invitation._meta.get_field("email").run_validators(email)
    except ValidationError:
        raise RefusedInvitationError(f"'{email}' is no e-mail address.") from None
    if User.objects.filter(email=email).exists():
        raise RefusedInvitationError(
            f"{email} has an account already. Change its role or its studies instead."
        )
    return email


def hash_of(token: str) -> str:
    """What is kept of a token: it has 256 random bits, so nobody can guess it back."""
    return hashlib.sha256(token.encode()).hexdigest()


def pending() -> QuerySet[Invitation]:
    """Invitations that can still be accepted, by the clock of the database."""
    return Invitation.objects.filter(accepted_at=None, expires_at__gt=Now())


def find_invitation(token: str) -> Invitation:
    """The invitation that a link names, if it can still be accepted.

    Raises
    ------
    InvitationGoneError
        If it cannot.
    """
    invitation = pending().select_related("study").filter(token_hash=hash_of(token)).first()
    if invitation is None:
        raise InvitationGoneError
    return invitation


def revoke(invitation_id: UUID) -> bool:
    """End an invitation; False if it had ended or been accepted before."""
    return pending().filter(pk=invitation_id).update(expires_at=Now()) == 1


def accept(token: str, *, name: str, password: str) -> User:
    """Make the account that a link invites to, and put it on the study that it names.

    Raises
    ------
    InvitationGoneError
        If the link is unknown, used, revoked or too old.
    """
    return _use_up(name, password, token_hash=hash_of(token))


def accept_by_address(email: str, *, name: str) -> User:
    """As `accept`, for somebody who proved their address by single sign-on.

    Raises
    ------
    InvitationGoneError
        If the address has no invitation that can still be accepted.
    """
    latest = pending().filter(email=email.lower()).order_by("-created_at").first()
    if latest is None:
        raise InvitationGoneError
    return _use_up(name, None, pk=latest.pk)


def _use_up(name: str, password: str | None, **which: Any) -> User:
    try:
        with transaction.atomic():
            # The condition is part of the UPDATE: of two who follow one link, one changes
            # the row and the other, who waited for it, changes nothing.
            if not pending().filter(**which).update(accepted_at=Now()):
                raise InvitationGoneError
            return _make_account(Invitation.objects.get(**which), name, password)
    except IntegrityError:
        # The address got its account in this moment, by another way.
        raise InvitationGoneError from None


def _make_account(invitation: Invitation, name: str, password: str | None) -> User:
    user = User.objects.create_user(
        invitation.email, password, role=invitation.role, name=name.strip()
    )
    # Whoever holds the link was given it under this address.
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    Invitation.objects.filter(pk=invitation.pk).update(accepted_by=user)
    if invitation.study is not None:
        assign(invitation.study, user)
    return user


def send_invitation(invited: Invited) -> None:
    """Write to whoever is invited.

    Raises
    ------
    OSError
        If the mail server cannot be reached or refuses (SMTP errors are OSErrors).
    """
    send_mail(
        "Your invitation to Touchstone",
        LETTER.format(
            role=AS[Role(invited.invitation.role)],
            days=LIFETIME.days,
            link=invited.link,
        ),
        None,
        [invited.invitation.email],
    )
