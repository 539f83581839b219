"""Judgements by people of known leanings, stored as the product stores them, but in bulk."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from annotate.blinding import Side, unblind
from annotate.models import Criterion, Judgement, Rating, Study, Task, User
from annotate.models.pulse import BLOCK_BITS
from evals.gate import DEFAULT_GATES, Gate
from tests.factories import assign, keep_judged, make_batch, make_study, make_user, rows_of


@dataclass(frozen=True)
class Leaning:
    """What the votes lean to: shares of candidate and of tie, and of "both bad" among ties."""

    candidate: float = 0.6
    tie: float = 0.15
    both_bad: float = 0.2
    left: float = 0.0


def judged_study(
    *,
    items: int = 24,
    annotators: int = 4,
    overlap: int = 3,
    scale: int = 5,
    seed: int = 1,
    leaning: Leaning | None = None,
    categories: Sequence[str] = ("general", "billing"),
    name: str = "Simulated",
    same: float = 0.5,
    share: float = 1.0,
    blocks: int = 1,
) -> Study:
    """A study in which `share` of the slots have been judged.

    `same` is how often an annotator follows the item's own winner instead of a fresh draw.
    Items come in as many batches as there are to be blocks, which are counted one by one.
    """
    study = make_study(
        name,
        criteria=[("correctness", "comparative"), ("helpfulness", "score")],
        overlap=overlap,
        scale=scale,
        both_bad=True,
    )
    people = [make_user(f"{name} annotator {number}") for number in range(annotators)]
    for person in people:
        assign(study, person)
    rows = [
        row | {"category": categories[number % len(categories)]}
        for number, row in enumerate(rows_of(items))
    ]
    for number in range(blocks):
        begin_block()
        make_batch(study, rows[number::blocks], name=f"batch {number + 1}")
    judge_slots(study, people, seed=seed, leaning=leaning or Leaning(), same=same, share=share)
    return study


def begin_block() -> None:
    """Items that come in from here on are counted apart from those before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('annotate_item', 'id'),"
            " ((nextval(pg_get_serial_sequence('annotate_item', 'id')) >> %s) + 1) << %s)",
            [BLOCK_BITS, BLOCK_BITS],
        )


def judge_slots(
    study: Study,
    people: Sequence[User],
    *,
    seed: int = 1,
    leaning: Leaning | None = None,
    same: float = 0.5,
    share: float = 1.0,
    source: str = Judgement.Source.BLIND,
) -> None:
    """Judge that share of the free slots, each item by different people."""
    draw = random.Random(seed)
    lean = leaning or Leaning()
    item_says: dict[int, int] = {}
    tasks, judgements, ratings = [], [], []
    criteria = list(Criterion.objects.filter(study=study))
    for task in Task.objects.filter(study=study, state="free").order_by("item_id", "slot"):
        if draw.random() >= share:
            continue
        who = people[(task.item_id + task.slot) % len(people)]
        own = item_says.setdefault(task.item_id, _draw(draw, lean))
        preference = own if draw.random() < same else _draw(draw, lean)
        preference *= draw.randint(1, study.max_strength) if preference else 1
        side = Side(str(task.candidate_side))
        choice = unblind(preference, side)
        if draw.random() < lean.left:
            choice = -abs(choice or 1)
        task.state, task.annotator, task.version = Task.State.JUDGED, who, 1
        task.claimed_at = timezone.now() - timedelta(days=draw.randint(0, 9), minutes=2)
        task.judged_at = task.claimed_at + timedelta(minutes=1)
        judgement = Judgement(
            study=study,
            task=task,
            annotator=who,
            version=1,
            candidate_side=side,
            scale=study.scale,
            choice=choice,
            preference=unblind(choice, side),
            both_bad=choice == 0 and draw.random() < lean.both_bad,
            active_ms=draw.randint(5_000, 60_000),
            wall_ms=60_000,
            source=source,
            submission_key=uuid4(),
            payload_digest="0" * 64,
        )
        tasks.append(task)
        judgements.append(judgement)
        ratings += [_rating(draw, judgement, criterion) for criterion in criteria]
    keep_judged(tasks, judgements, [rating for rating in ratings if rating])


def _draw(draw: random.Random, lean: Leaning) -> int:
    number = draw.random()
    if number < lean.candidate:
        return 1
    return 0 if number < lean.candidate + lean.tie else -1


def _rating(draw: random.Random, judgement: Judgement, criterion: Criterion) -> Rating | None:
    if criterion.kind == Criterion.Kind.COMPARATIVE:
        preference = draw.choice([-1, 0, 0, 1])
        return Rating(judgement=judgement, criterion=criterion, preference=preference)
    if criterion.kind == Criterion.Kind.SCORE:
        baseline, candidate = draw.randint(1, 5), draw.randint(2, 5)
        return Rating(
            judgement=judgement,
            criterion=criterion,
            baseline_score=baseline,
            candidate_score=candidate,
        )
    return None


def gates(**thresholds: float) -> list[Gate]:
    """The default gates, only those named required, with these thresholds."""
    found = []
    for gate in DEFAULT_GATES:
        key, named = gate.key, gate.key in thresholds
        found.append(
            Gate(
                key,
                gate.title,
                thresholds.get(key, gate.threshold),
                gate.direction,
                gate.unit,
                named,
                gate.rule,
            )
        )
    return found


def mirror(study: Study) -> Study:
    """The same study and votes with baseline and candidate exchanged."""
    twin = make_study(f"{study.name} mirrored", overlap=study.overlap, scale=study.scale)
    criteria = {
        old.pk: Criterion.objects.create(
            study=twin, key=old.key, name=old.name, kind=old.kind, position=old.position
        )
        for old in study.criteria.all()
    }
    batch = make_batch(twin, rows_of(study.items.count()))
    items = dict(
        zip(
            study.items.order_by("pk").values_list("pk", flat=True),
            batch.items.order_by("pk"),
            strict=True,
        )
    )
    for old in study.items.all():
        items[old.pk].category = old.category
        items[old.pk].save(update_fields=["category"])
    other = {"left": "right", "right": "left"}
    for judgement in Judgement.objects.counted().filter(study=study).select_related("task"):
        task = Task.objects.get(item=items[judgement.task.item_id], slot=judgement.task.slot)
        task.state, task.version, task.annotator = "judged", 1, judgement.annotator
        task.candidate_side = other[str(judgement.candidate_side)]
        task.claimed_at = task.judged_at = judgement.task.judged_at
        task.save()
        copy = Judgement.objects.create(
            study=twin,
            task=task,
            annotator=judgement.annotator,
            version=1,
            candidate_side=task.candidate_side,
            scale=twin.scale,
            choice=judgement.choice,
            preference=-judgement.preference,
            both_bad=judgement.both_bad,
            submission_key=uuid4(),
            payload_digest="0" * 64,
        )
        for rating in judgement.ratings.all():
            Rating.objects.create(
                judgement=copy,
                criterion=criteria[rating.criterion_id],
                preference=None if rating.preference is None else -rating.preference,
                baseline_score=rating.candidate_score,
                candidate_score=rating.baseline_score,
            )
    return twin
