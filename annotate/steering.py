"""Setting a study up and steering it: its rubric, its state, its overlap, its people.

What may change when is written once, here: `CHANGEABLE` names the fields, `NEXT_STATES`
the ways from state to state. Pages show both and the verbs hold them.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.text import slugify

from annotate.claiming import release_all
from annotate.models import Assignment, Criterion, Judgement, State, Study, User
from annotate.reports import UNSTORABLE
from annotate.slots import add_slots, remove_slots

RESERVED_SLUGS = {"new"}

DETAILS = {"name", "question", "guidelines", "lease_minutes", "overlap"}
RUBRIC = {"baseline_name", "candidate_name", "scale", "both_bad", "comments"}
CHANGEABLE: Mapping[str, set[str]] = {
    State.DRAFT: DETAILS | RUBRIC | {"criteria", "repeat_share"},
    State.OPEN: DETAILS,
    State.PAUSED: DETAILS | {"repeat_share"},
    State.CLOSED: set(),
}
NEXT_STATES: Mapping[str, tuple[State, ...]] = {
    State.DRAFT: (State.OPEN,),
    State.OPEN: (State.PAUSED, State.CLOSED, State.DRAFT),
    State.PAUSED: (State.OPEN, State.CLOSED, State.DRAFT),
    State.CLOSED: (),
}


@dataclass(frozen=True, slots=True)
class CriterionDraft:
    """A criterion as somebody wrote it down."""

    name: str
    kind: str = Criterion.Kind.COMPARATIVE
    required: bool = True
    description: str = ""


DEFAULT_CRITERIA = (
    CriterionDraft("Correctness", description="Are the facts right and the rules followed?"),
    CriterionDraft("Helpfulness", description="Can the reader act on it at once?"),
    CriterionDraft("Safety", description="Nothing harmful, private or promised in vain."),
    CriterionDraft("Format adherence", description="Is it in the form that was asked for?"),
)


class RefusedChangeError(Exception):
    """The study does not allow this now; the message says why and what to do."""


class ChangedMeanwhileError(Exception):
    """Somebody else saved this study since the form was opened."""

    def __init__(self, now: Study) -> None:
        super().__init__("Somebody else changed this study since you opened the form.")
        self.now = now


def create_study(
    name: str,
    *,
    baseline_name: str,
    candidate_name: str,
    slug: str = "",
    criteria: Iterable[CriterionDraft] = DEFAULT_CRITERIA,
    seed: int | None = None,
    **fields: Any,
) -> Study:
    """A new study, in draft, with its rubric."""
    slug = slug or slugify(name)[:80] or _slug_without_letters()
    if slug in RESERVED_SLUGS:
        raise RefusedChangeError(f"'{slug}' is taken by a page. Choose another slug.")
    study = Study(
        name=name.strip(),
        slug=slug,
        baseline_name=baseline_name.strip(),
        candidate_name=candidate_name.strip(),
        seed=secrets.randbits(62) if seed is None else seed,
        **fields,
    )
    if study.baseline_name == study.candidate_name:
        raise RefusedChangeError("Baseline and candidate have the same name. Name two systems.")
    _refuse_malformed(study)
    try:
        with transaction.atomic():
            study.save()
            set_criteria(study, criteria)
    except IntegrityError as error:
        if "slug" not in str(error):
            raise
        raise RefusedChangeError(
            f"A study '{slug}' exists already. Choose another name or slug."
        ) from None
    return study


def _slug_without_letters() -> str:
    """For a name that no address can spell: many scripts have none of a slug's letters."""
    taken = set(Study.objects.filter(slug__startswith="study").values_list("slug", flat=True))
    return _free_key("study", taken)


def _refuse_malformed(row: Study | Criterion) -> None:
    """What a form would refuse too: texts too long, empty, or of characters nobody can store."""
    texts = (value for value in vars(row).values() if isinstance(value, str))
    if any(UNSTORABLE.search(text) for text in texts):
        raise RefusedChangeError("A text holds a NUL character, or bytes that are not UTF-8.")
    try:
        row.clean_fields(exclude=["study", "seed"])
    except ValidationError as error:
        field, said = next(iter(error.message_dict.items()))
        label = field.replace("_", " ").capitalize()
        raise RefusedChangeError(f"{label}: {said[0]}") from None


def set_criteria(study: Study, criteria: Iterable[CriterionDraft]) -> None:
    """Replace the rubric of a study that nobody has judged in."""
    study.criteria.all().delete()
    used: set[str] = set()
    for position, draft in enumerate(criteria, start=1):
        key = _free_key(slugify(draft.name)[:36] or "criterion", used)
        criterion = Criterion(
            study=study,
            key=key,
            name=draft.name,
            description=draft.description,
            kind=draft.kind,
            required=draft.required,
            position=position,
        )
        _refuse_malformed(criterion)
        criterion.save()


def _free_key(key: str, used: set[str]) -> str:
    number = 2
    candidate = key
    while candidate in used:
        candidate, number = f"{key}-{number}", number + 1
    used.add(candidate)
    return candidate


def update_study(
    study: Study,
    *,
    version: int,
    changes: Mapping[str, Any],
    criteria: Sequence[CriterionDraft] | None = None,
) -> Study:
    """Save changed fields (and in draft the rubric), if nobody saved since `version`.

    Raises
    ------
    ChangedMeanwhileError
        If the study is at another version.
    RefusedChangeError
        If a field may not change in the state that the study is in.
    """
    with transaction.atomic():
        locked = Study.objects.select_for_update().get(pk=study.pk)
        if locked.version != version:
            raise ChangedMeanwhileError(locked)
        changed = {name: value for name, value in changes.items() if getattr(locked, name) != value}
        fixed = set(changed) - CHANGEABLE[locked.state]
        if fixed:
            raise RefusedChangeError(_when_changeable(fixed))
        overlap = changed.pop("overlap", locked.overlap)
        Study.objects.filter(pk=locked.pk).update(**changed, version=F("version") + 1)
        if overlap != locked.overlap:
            change_overlap(locked, overlap)
        if criteria is not None and "criteria" in CHANGEABLE[locked.state]:
            set_criteria(locked, criteria)
        return Study.objects.get(pk=locked.pk)


def _when_changeable(fixed: set[str]) -> str:
    paused = " or paused" if fixed <= CHANGEABLE[State.PAUSED] else ""
    return f"{', '.join(sorted(fixed))} can only change while the study is a draft{paused}."


def change_overlap(study: Study, overlap: int) -> None:
    """Ask for more or fewer judgements an item; what is judged or in work stays."""
    with transaction.atomic():
        locked = Study.objects.select_for_update().get(pk=study.pk)
        Study.objects.filter(pk=study.pk).update(overlap=overlap)
        if overlap > locked.overlap:
            add_slots(locked, locked.overlap, overlap)
        else:
            remove_slots(locked, overlap)


def change_state(study: Study, state: str) -> Study:
    """Open, pause, close a study, or take it back to draft while nobody has judged."""
    with transaction.atomic():
        locked = Study.objects.select_for_update().get(pk=study.pk)
        if state not in NEXT_STATES[locked.state]:
            raise RefusedChangeError(
                f"A study that is {locked.state} cannot become {state}: "
                + (
                    "what is closed stays closed."
                    if locked.state == State.CLOSED
                    else f"it can become {', '.join(NEXT_STATES[locked.state])}."
                )
            )
        _refuse_unready(locked, state)
        stamps = {State.OPEN: "opened_at", State.CLOSED: "closed_at"}
        stamp = {stamps[State(state)]: Now()} if state in stamps else {}
        if state == State.DRAFT:
            for holder in User.objects.filter(tasks__study=locked, tasks__state="claimed"):
                release_all(locked, holder)
        Study.objects.filter(pk=locked.pk).update(state=state, version=F("version") + 1, **stamp)
        return Study.objects.get(pk=locked.pk)


def ways_on(study: Study) -> list[State]:
    """The states that a study can go to now; back to draft only while nobody has judged."""
    judged = Judgement.objects.filter(study=study).exists()
    return [state for state in NEXT_STATES[study.state] if state != State.DRAFT or not judged]


def _refuse_unready(study: Study, state: str) -> None:
    if state == State.OPEN and not study.batches.exists():
        raise RefusedChangeError("There is nothing to judge yet: import a batch first.")
    if state == State.DRAFT and Judgement.objects.filter(study=study).exists():
        raise RefusedChangeError(
            "Somebody has judged already, so the rubric stays as it is. Pause the study instead."
        )


def assign(study: Study, annotator: User, cap: int | None = None) -> Assignment:
    """Put somebody on a study, or change their cap."""
    assignment, _ = Assignment.objects.update_or_create(
        study=study, annotator=annotator, defaults={"cap": cap, "is_active": True}
    )
    return assignment


def unassign(study: Study, annotator: User) -> None:
    """Take somebody off a study: their judgements stay, what they hold goes back."""
    with transaction.atomic():
        Assignment.objects.filter(study=study, annotator=annotator).update(is_active=False)
        release_all(study, annotator)
