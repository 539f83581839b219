"""Recording judgements: once, whole, on the right item, with the sides lifted."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from annotate.blinding import BlindPair, Side, blind, blind_scores, unblind, unblind_scores
from annotate.claiming import NotHeldError, lock_state, regain_slot
from annotate.models import Assignment, Criterion, Flag, Item, Judgement, Rating, State, Task, User
from annotate.repeating import draw_repeat


@dataclass(frozen=True, slots=True)
class Answers:
    """What an annotator said, as it stood on the screen.

    `comparisons` maps a criterion's key to -1 (left), 0 or 1 (right); `scores` to the
    scores of the left and of the right output.
    """

    choice: int
    both_bad: bool = False
    comparisons: Mapping[str, int] = field(default_factory=dict)
    scores: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    comment: str = ""
    active_ms: int = 0

    def digest(self) -> str:
        """What makes two submissions the same: all that was said, not how long it took."""
        said = [self.choice, self.both_bad, dict(self.comparisons), dict(self.scores), self.comment]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


class AlreadyAnsweredError(Exception):
    """The same form was sent before with other answers; the first ones are kept."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__("This was already answered, and the first answer is kept.")
        self.judgement = judgement


class StudyClosedError(Exception):
    """The study takes no judgements any more."""


def pair_of(task: Task) -> BlindPair:
    """What the annotator of `task` may know of its item; nothing else of it is read."""
    prompt, baseline, candidate = Item.objects.values_list(
        "prompt", "baseline_output", "candidate_output"
    ).get(pk=task.item_id)
    return blind(prompt, baseline, candidate, task.side)


def answers_of(judgement: Judgement) -> Answers:
    """What was said, as it stood on the screen: for its annotator alone."""
    side, choice = judgement.pressed
    comparisons: dict[str, int] = {}
    scores: dict[str, tuple[int, int]] = {}
    for rating in judgement.ratings.select_related("criterion"):
        key, baseline, candidate = (
            rating.criterion.key,
            rating.baseline_score,
            rating.candidate_score,
        )
        if rating.preference is not None:
            # Exchanging the sides twice changes nothing: what lifts them puts them back.
            comparisons[key] = unblind(rating.preference, side)
        elif baseline is not None and candidate is not None:
            scores[key] = blind_scores(baseline, candidate, side)
    return Answers(
        choice,
        judgement.both_bad,
        comparisons,
        scores,
        judgement.comment,
        judgement.active_ms,
    )


def submission_key(task: Task) -> UUID:
    """The key of a form: bound to its task and to the version that it would replace.

    Nobody can make one without the secret, and every rendering of the same form has the
    same one: a form sent twice, from two tabs, by a retry or by the Back button is one
    submission.
    """
    message = f"submission:{task.pk}:{task.version}".encode()
    mac = hmac.new(settings.SECRET_KEY.encode(), message, hashlib.sha256).digest()
    return UUID(bytes=mac[:16], version=4)


def record_judgement(task_id: UUID, annotator: User, key: UUID, answers: Answers) -> Judgement:
    """Store what `annotator` said of a task, or find what the same form stored before.

    A task that is judged already gets a further version; one whose lease had ended
    still counts when nobody has taken its slot, and is kept as surplus when somebody has.

    Raises
    ------
    NotHeldError
        If the task is not this annotator's, was skipped, or the form is another's.
    AlreadyAnsweredError
        If the same form was sent before with other answers.
    StudyClosedError
        If the study is closed.
    """
    with transaction.atomic():
        # One row, one line: a second try of the same form waits here for the first.
        task = (
            Task.objects.handed_out()
            .select_for_update(of=("self",))
            .select_related("study")
            .filter(pk=task_id, annotator=annotator)
            .first()
        )
        if task is None:
            raise NotHeldError("This task is not yours to judge.")
        if said_before := Judgement.objects.filter(submission_key=key, task=task).first():
            if said_before.payload_digest != answers.digest():
                raise AlreadyAnsweredError(said_before)
            return said_before
        if key != submission_key(task):
            raise _stale(task)
        if lock_state(task.study).state == State.CLOSED:
            raise StudyClosedError("This study is closed: answers can no longer be changed.")
        if unchanged := _said_already(task, answers):
            return unchanged
        _take_up(task)
        return _store(task, annotator, key, answers)


def _stale(task: Task) -> Exception:
    if task.version and (latest := task.judgements.filter(version=task.version).first()):
        return AlreadyAnsweredError(latest)
    return NotHeldError("This form belongs to another task or to an older state of this one.")


def _said_already(task: Task, answers: Answers) -> Judgement | None:
    """The version that counts, where saving again would add nothing but its copy."""
    same = task.judgements.filter(version=task.version, payload_digest=answers.digest())
    return same.first() if task.version else None


def _take_up(task: Task) -> None:
    """Decide what the judgement of this task will count for; set on `task`, saved later."""
    if task.state in (Task.State.SKIPPED, Task.State.PASSED):
        raise NotHeldError("You skipped this item; somebody else has been asked.")
    if task.state == Task.State.LAPSED:
        regained = regain_slot(task)
        task.state = Task.State.JUDGED if regained else Task.State.SURPLUS
    elif task.state == Task.State.CLAIMED:
        task.state = Task.State.JUDGED
    elif task.state == Task.State.ASKED:
        task.state = Task.State.REPEATED


def _store(task: Task, annotator: User, key: UUID, answers: Answers) -> Judgement:
    side = task.side
    wall_ms = _milliseconds_since(task)
    judgement = Judgement.objects.create(
        study_id=task.study_id,
        task=task,
        annotator=annotator,
        version=task.version + 1,
        candidate_side=side,
        scale=task.study.scale,
        choice=answers.choice,
        preference=unblind(answers.choice, side),
        both_bad=answers.both_bad,
        comment=answers.comment,
        active_ms=max(0, min(answers.active_ms, wall_ms)),
        wall_ms=wall_ms,
        submission_key=key,
        payload_digest=answers.digest(),
    )
    Rating.objects.bulk_create(_ratings(judgement, task.study.criteria.all(), answers, side))
    Task.objects.filter(pk=task.pk).update(
        state=task.state, version=judgement.version, judged_at=Now(), lease_ends_at=None
    )
    if judgement.version == 1:
        _count(task)
        draw_repeat(task)
    return judgement


def _count(task: Task) -> None:
    field = "judged_count" if task.repeats_id is None else "repeated_count"
    Assignment.objects.filter(study=task.study_id, annotator=task.annotator_id).update(
        **{field: F(field) + 1}
    )


def _milliseconds_since(task: Task) -> int:
    """Wall time by the database's clock since the task was claimed or last judged."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT GREATEST(0, EXTRACT(EPOCH FROM clock_timestamp() - "
            "COALESCE(judged_at, claimed_at)) * 1000)::bigint FROM annotate_task WHERE id = %s",
            [task.pk],
        )
        (milliseconds,) = cursor.fetchone()
    return int(milliseconds)


def _ratings(judgement: Judgement, criteria: Any, answers: Answers, side: Side) -> list[Rating]:
    ratings = []
    for criterion in criteria:
        if criterion.kind == Criterion.Kind.COMPARATIVE and criterion.key in answers.comparisons:
            preference = unblind(answers.comparisons[criterion.key], side)
            ratings.append(Rating(judgement=judgement, criterion=criterion, preference=preference))
        if criterion.kind == Criterion.Kind.SCORE and criterion.key in answers.scores:
            pair = unblind_scores(*answers.scores[criterion.key], side)
            ratings.append(
                Rating(
                    judgement=judgement,
                    criterion=criterion,
                    baseline_score=pair.baseline,
                    candidate_score=pair.candidate,
                )
            )
    return ratings


def flag_task(task_id: UUID, annotator: User, kinds: list[str]) -> Task:
    """Say what is wrong with an item, whether or not it is judged."""
    with transaction.atomic():
        task = Task.objects.handed_out().filter(pk=task_id, annotator=annotator).first()
        if task is None:
            raise NotHeldError("This task is not yours to flag.")
        task.flags.exclude(kind__in=kinds).delete()
        Flag.objects.bulk_create(
            [Flag(task=task, kind=kind) for kind in kinds], ignore_conflicts=True
        )
        return task
