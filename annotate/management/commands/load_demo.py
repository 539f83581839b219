"""manage.py load_demo: the demo study, once, with people to sign in as."""

import json
import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from annotate.blinding import unblind
from annotate.claiming import claim_task
from annotate.commanding import JsonCommand, RefusedCommandError
from annotate.demo.content import ITEMS_FILE, load_items, load_study
from annotate.demo.simulate import Answer, Items, simulate
from annotate.intake import import_batch
from annotate.judging import Answers, record_judgement, submission_key
from annotate.models import Role, State, Study, Task, User
from annotate.parsing import Options, Source
from annotate.steering import CriterionDraft, assign, change_state, create_study

# How much of the work each annotator has done: something is left for everybody.
DONE = (30, 26, 22, 14)
FIELDS = (
    "name",
    "slug",
    "baseline_name",
    "candidate_name",
    "question",
    "guidelines",
    "scale",
    "both_bad",
    "overlap",
    "lease_minutes",
    "seed",
)


class Command(JsonCommand):
    help = "Load the demo study, if the database holds no study yet."

    def answer(self, **options: Any) -> dict[str, Any]:
        if Study.objects.exists():
            return {"study": None, "accounts": None}
        content = load_study()
        with transaction.atomic():
            accounts = make_people(content)
            study = make_study(content)
        write_accounts(accounts, settings.DATA_DIR / "demo-accounts.json")
        return {"study": study.slug, "accounts": str(settings.DATA_DIR / "demo-accounts.json")}

    def in_words(self, answer: dict[str, Any]) -> str:
        if answer["study"] is None:
            return "There is a study already: the demo was not loaded."
        return f"Loaded the demo study '{answer['study']}'. Sign-in: {answer['accounts']}"


def make_people(content: dict[str, Any]) -> list[dict[str, str]]:
    """The demo's people, each with a password made at random."""
    people = [
        (Role.ADMIN, content["admin"]),
        (Role.LEAD, content["lead"]),
        *((Role.ANNOTATOR, person) for person in content["annotators"]),
    ]
    accounts = []
    for role, person in people:
        password = secrets.token_urlsafe(12)
        User.objects.create_user(person["email"], password, role=role, name=person["name"])
        accounts.append({"role": str(role), "email": person["email"], "password": password})
    return accounts


def make_study(content: dict[str, Any]) -> Study:
    """The study, opened, with part of its work done."""
    study = create_study(
        criteria=[
            CriterionDraft(criterion["name"], description=criterion["description"])
            for criterion in content["criteria"]
        ],
        **{name: content[name] for name in FIELDS},
    )
    source = Source(ITEMS_FILE.name, ITEMS_FILE.stat().st_size, lambda: ITEMS_FILE.open("rb"))
    intake = import_batch(study, [source], Options(), name=content["batch_name"])
    if intake.batch is None:
        raise RefusedCommandError(f"The demo's items are faulty: {intake.report.errors}")
    change_state(study, State.OPEN)
    people = [User.objects.get(email=person["email"]) for person in content["annotators"]]
    for person in people:
        assign(study, person)
    judge_some(study, people, content)
    return study


def judge_some(study: Study, people: list[User], content: dict[str, Any]) -> None:
    """Let everybody judge in turns, as people do, until each has done their part."""
    items: Items = load_items()
    for turn in range(max(DONE)):
        for number, annotator in enumerate(people):
            if turn < DONE[number % len(DONE)]:
                judge_one(study, annotator, number, items, content)


def judge_one(
    study: Study, annotator: User, number: int, items: Items, content: dict[str, Any]
) -> None:
    task = claim_task(study, annotator)
    said = simulate(content, items, number, task.item.position - 1)
    # The demo's past took as long as its people would have taken.
    begun = Now() - timedelta(seconds=said["seconds"] * 1.1 + 1)
    Task.objects.filter(pk=task.pk).update(claimed_at=begun)
    record_judgement(task.pk, annotator, submission_key(task), on_screen(said, task))


def on_screen(said: Answer, task: Task) -> Answers:
    """What the annotator pressed, from what they think of the systems."""
    side = task.side
    # Lifting the sides twice is no change, so the same function puts them on.
    return Answers(
        choice=unblind(said["preference"], side),
        both_bad=said["both_bad"],
        comparisons={key: unblind(value, side) for key, value in said["criteria"].items()},
        comment=said["comment"],
        active_ms=round(said["seconds"] * 1000),
    )


def write_accounts(accounts: list[dict[str, str]], file: Path) -> None:
    """Keep the demo's passwords where only the owner of the checkout reads them."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        json.dump(accounts, opened, indent=1)
