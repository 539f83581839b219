"""manage.py verify_decision: a signed decision is computed again, and what differs is named."""

from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from annotate.commanding import RefusedCommandError, StudyCommand, study_named
from annotate.models import Study
from evals.deciding import Verified, verify_decision
from evals.models import Decision
from evals.queries import snapshot

SAID = 10


class Command(StudyCommand):
    help = (
        "Compute what was signed again: exit 0 if it is intact and the data still give it, "
        "1 if not, saying what differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("id", metavar="ID", nargs="?", type=UUID,
                            help="of a decision, as in its address; without it, all")  # fmt: skip

    def answer(self, **options: Any) -> dict[str, Any]:
        study = study_named(options["study"])
        with snapshot(anew=True):
            decisions = _decisions(study, options["id"])
            self.found = [verify_decision(decision) for decision in decisions]
        return {
            "study": study.slug,
            "holds": all(one.holds for one in self.found),
            "decisions": [one.as_json() for one in self.found],
        }

    def in_words(self, answer: dict[str, Any]) -> str:
        return "\n\n".join(_in_words(one) for one in self.found)

    def exit_code(self, answer: dict[str, Any]) -> int:
        return 0 if answer["holds"] else 1


def _decisions(study: Study, wanted: UUID | None) -> list[Decision]:
    decisions = Decision.objects.filter(study=study).select_related("study", "policy")
    found = list((decisions.filter(pk=wanted) if wanted else decisions).order_by("created_at"))
    if not found and wanted:
        ids = ", ".join(str(key) for key in decisions.values_list("pk", flat=True)[:SAID])
        there_are = f"Its decisions: {ids}." if ids else "Nobody has signed one."
        raise RefusedCommandError(f"{study.slug} has no decision {wanted}. {there_are}")
    if not found:
        raise RefusedCommandError(f"Nobody has signed a decision of {study.slug} yet.")
    return found


def _in_words(one: Verified) -> str:
    decision = one.decision
    lines = [
        f"{decision.pk}  {decision.get_choice_display()} ({decision.verdict}), signed on "
        f"{decision.created_at:%Y-%m-%d %H:%M} UTC by {decision.signed_name}",
        "  intact: the stored evidence has the digest that was signed"
        if one.intact
        else "  NOT INTACT: the stored evidence is not what was signed; somebody has changed it",
        f"  {_recomputed(one)}",
    ]
    lines += [] if one.same_code else ["  other code computes now than then"]
    lines += ["  signed once, waits for a second person"] if one.waits else []
    if one.differences:
        more = "" if len(one.differences) <= SAID else f" and {len(one.differences) - SAID} more"
        lines.append(f"  differs: {', '.join(one.differences[:SAID])}{more}")
    return "\n".join(lines)


def _recomputed(one: Verified) -> str:
    if one.same_bytes:
        return "computed again from the data: the same bytes"
    if one.same_facts:
        return "computed again from the data: the same numbers, not the same bytes"
    return "computed again from the data: not the same numbers; the data have changed since"
