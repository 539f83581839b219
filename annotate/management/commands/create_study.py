"""manage.py create_study: a study with its rubric and its people."""

import argparse
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import transaction
from django.urls import reverse

from annotate.commanding import JsonCommand, RefusedCommandError
from annotate.models import Criterion, Study, User
from annotate.models.study import MOST_REPEATED
from annotate.steering import (
    DEFAULT_CRITERIA,
    CriterionDraft,
    RefusedChangeError,
    assign,
    create_study,
)


def criterion(text: str) -> CriterionDraft:
    """NAME:comparative or NAME:score."""
    name, _, kind = text.rpartition(":")
    if not name.strip() or kind not in (Criterion.Kind.COMPARATIVE, Criterion.Kind.SCORE):
        raise argparse.ArgumentTypeError(f"'{text}': write NAME:comparative or NAME:score")
    return CriterionDraft(name.strip(), kind=kind)


def share(text: str) -> Decimal:
    """A share in hundredths, from 0 to 0.5."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not (value.is_finite() and 0 <= value <= MOST_REPEATED and value == round(value, 2)):
        raise argparse.ArgumentTypeError(f"'{text}': write a share from 0 to 0.5, as 0.1")
    return round(value, 2)


class Command(JsonCommand):
    help = "Make a study: one question about two systems."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--baseline", required=True, metavar="B")
        parser.add_argument("--candidate", required=True, metavar="C")
        parser.add_argument("--slug", default="", metavar="S")
        parser.add_argument("--overlap", type=int, default=3, choices=range(1, 21), metavar="1-20")
        parser.add_argument("--repeat-share", type=share, default=Decimal(0), metavar="0-0.5")
        parser.add_argument("--scale", type=int, default=3, choices=(3, 5, 7))
        parser.add_argument("--both-bad", action="store_true")
        rubric = parser.add_mutually_exclusive_group()
        rubric.add_argument("--criterion", action="append", type=criterion, metavar="NAME:KIND")
        rubric.add_argument("--no-criteria", action="store_true")
        parser.add_argument("--guidelines", type=Path, metavar="FILE")
        parser.add_argument("--annotator", action="append", default=[], metavar="EMAIL")

    def answer(self, **options: Any) -> dict[str, Any]:
        with transaction.atomic():
            study = self._create(options)
            for email in options["annotator"]:
                assign(study, self._person(email))
        return {"study": study.slug, "url": settings.BASE_URL + reverse("study", args=[study.slug])}

    def _create(self, options: dict[str, Any]) -> Study:
        criteria = [] if options["no_criteria"] else options["criterion"] or DEFAULT_CRITERIA
        try:
            return create_study(
                options["name"],
                baseline_name=options["baseline"],
                candidate_name=options["candidate"],
                slug=options["slug"],
                criteria=criteria,
                overlap=options["overlap"],
                repeat_share=options["repeat_share"],
                scale=options["scale"],
                both_bad=options["both_bad"],
                guidelines=self._guidelines(options["guidelines"]),
            )
        except RefusedChangeError as error:
            raise RefusedCommandError(str(error)) from error

    @staticmethod
    def _guidelines(file: Path | None) -> str:
        if file is None:
            return ""
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RefusedCommandError(f"{file} cannot be read as UTF-8 text: {error}.") from error

    @staticmethod
    def _person(email: str) -> User:
        person = User.objects.filter(email=email.lower(), is_active=True).first()
        if person is None:
            raise RefusedCommandError(
                f"Nobody with the address {email} has an account. Invite them first: "
                f"manage.py invite {email} --role annotator"
            )
        return person

    def in_words(self, answer: dict[str, Any]) -> str:
        return f"Made study '{answer['study']}': {answer['url']}"
