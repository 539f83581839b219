"""Objects for tests, made the way the product makes them: batches come in by the front door."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.utils.text import slugify

from annotate.claiming import claim_task
from annotate.judging import Answers, record_judgement, submission_key
from annotate.models import (
    Assignment,
    Batch,
    Criterion,
    Item,
    Judgement,
    Role,
    State,
    Study,
    Task,
    User,
)

PASSWORD = "correct horse battery staple"
_number = itertools.count(1)


def make_user(
    name: str = "", *, role: str = Role.ANNOTATOR, email: str = "", password: str | None = None
) -> User:
    """A person; without a password they sign in by `client_of` (hashing takes its time)."""
    name = name or f"Person {next(_number)}"
    email = email or f"{slugify(name)}@example.org"
    return User.objects.create_user(email, password, role=role, name=name)


def make_study(
    name: str = "Support replies",
    *,
    criteria: Sequence[tuple[str, str]] = (),
    annotators: Sequence[User] = (),
    **fields: Any,
) -> Study:
    """An open study with `annotators` assigned; `criteria` are (key, kind)."""
    defaults: dict[str, Any] = {
        "slug": f"{slugify(name)}-{next(_number)}",
        "baseline_name": "baseline-model-v1",
        "candidate_name": "candidate-model-v2",
        "state": State.OPEN,
        "seed": 7,
    }
    study = Study.objects.create(name=name, **defaults | fields)
    for position, (key, kind) in enumerate(criteria, start=1):
        Criterion.objects.create(
            study=study,
            key=key,
            name=key.replace("-", " ").capitalize(),
            kind=kind,
            position=position,
        )
    for annotator in annotators:
        assign(study, annotator)
    return study


def assign(study: Study, annotator: User, **fields: Any) -> Assignment:
    return Assignment.objects.create(study=study, annotator=annotator, **fields)


def rows_of(count: int, **fields: str) -> list[dict[str, str]]:
    """`count` different rows; `fields` are the same in each."""
    return [
        {
            "item_id": f"q-{number}",
            "prompt": f"Question {number}?",
            "baseline_output": f"First answer to {number}.",
            "candidate_output": f"Second answer to {number}.",
            "category": "general",
            **fields,
        }
        for number in range(1, count + 1)
    ]


def make_batch(
    study: Study, rows: Sequence[Mapping[str, Any]] | int = 3, *, name: str = "first"
) -> Batch:
    """A batch of `study`: the rows given, or so many different ones."""
    lines = rows_of(rows) if isinstance(rows, int) else rows
    return _insert(study, lines, name)


def _insert(study: Study, rows: Sequence[Mapping[str, Any]], name: str) -> Batch:
    batch = Batch.objects.create(
        study=study,
        number=study.batches.count() + 1,
        name=name,
        format="jsonl",
        digest=uuid4().hex * 2,
        item_count=len(rows),
    )
    rank = itertools.count((Task.objects.count() + 1) * 10)
    for position, row in enumerate(rows, start=1):
        item = Item.objects.create(study=study, batch=batch, position=position, **row)
        Task.objects.bulk_create(
            Task(
                study=study,
                item=item,
                slot=slot,
                rank=next(rank),
                candidate_side="left" if (slot + position) % 2 else "right",
            )
            for slot in range(1, study.overlap + 1)
        )
    return batch


def judge_next(study: Study, annotator: User, choice: int = 1, **answers: Any) -> Judgement:
    """Claim the next task of `annotator` and judge it; `choice` is as pressed: negative left."""
    task = claim_task(study, annotator)
    said = Answers(choice=choice, **answers)
    return record_judgement(task.pk, annotator, submission_key(task), said)
