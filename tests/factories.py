"""Objects for tests, made the way the product makes them: batches come in by the front door."""

import io
import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils.text import slugify

from annotate.claiming import claim_task
from annotate.intake import import_batch
from annotate.judging import Answers, record_judgement, submission_key
from annotate.models import (
    Assignment,
    Batch,
    Criterion,
    Judgement,
    Rating,
    Role,
    State,
    Study,
    Task,
    User,
)
from annotate.parsing import Options, Source

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
    """A batch of `study`, imported from a file: the rows given, or so many different ones."""
    lines = rows_of(rows) if isinstance(rows, int) else rows
    text = "".join(json.dumps(dict(row)) + "\n" for row in lines)
    intake = import_batch(study, [source_of(text, f"{name}.jsonl")], Options(), name=name)
    assert intake.batch is not None, intake.report.errors
    return intake.batch


def source_of(text: str, name: str = "batch.jsonl") -> Source:
    content = text.encode()
    return Source(name, len(content), lambda: io.BytesIO(content))


def judge_next(study: Study, annotator: User, choice: int = 1, **answers: Any) -> Judgement:
    """Claim the next task of `annotator` and judge it; `choice` is as pressed: negative left."""
    task = claim_task(study, annotator)
    said = Answers(choice=choice, **answers)
    return record_judgement(task.pk, annotator, submission_key(task), said)


def keep_judged(
    tasks: Sequence[Task], judgements: Sequence[Judgement], ratings: Sequence[Rating] = ()
) -> None:
    """Store tasks that have been set to judged, and what was said in them.

    The tasks in one statement: `bulk_update` takes longer to write its own than all else here.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE annotate_task task SET state = 'judged', version = said.version,"
            " annotator_id = said.who, claimed_at = said.claimed_at, judged_at = said.judged_at"
            " FROM unnest(%s::uuid[], %s::int[], %s::uuid[], %s::timestamptz[], %s::timestamptz[])"
            " AS said (id, version, who, claimed_at, judged_at) WHERE task.id = said.id",
            [
                [task.pk for task in tasks],
                [task.version for task in tasks],
                [task.annotator_id for task in tasks],
                [task.claimed_at for task in tasks],
                [task.judged_at for task in tasks],
            ],
        )
    Judgement.objects.bulk_create(judgements, batch_size=1000)
    Rating.objects.bulk_create(ratings, batch_size=2000)
