"""manage.py invite: a link that makes one account, the first admin's included."""

from typing import Any

from django.core.management.base import CommandParser

from annotate.commanding import JsonCommand, RefusedCommandError, study_named
from annotate.inviting import LIFETIME, RefusedInvitationError, invite
from annotate.models import Role


class Command(JsonCommand):
    help = "Invite somebody: print the link by which they make their account."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--study", metavar="SLUG", help="they judge in it when they join")

    def answer(self, **options: Any) -> dict[str, Any]:
        study = study_named(options["study"]) if options["study"] else None
        try:
            invited = invite(options["email"], options["role"], study=study)
        except RefusedInvitationError as error:
            raise RefusedCommandError(str(error)) from error
        invitation = invited.invitation
        return {"email": invitation.email, "role": invitation.role, "link": invited.link}

    def in_words(self, answer: dict[str, Any]) -> str:
        return (
            f"{answer['email']} can join as {answer['role']} within {LIFETIME.days} days, once, "
            f"at:\n{answer['link']}"
        )
