"""Pairs of answers that a model judge and people have judged, in the database and as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

import numpy as np
from django.utils import timezone

from annotate.blinding import Side, unblind
from annotate.models import Judgement, Study, Task, User
from evals.model_judge import judge_cases
from evals.models import Case, Generation, Run, Suite
from evals.pairing import batch_from_runs
from evals.stats.judged_items import JudgedItems
from tests.factories import keep_judged

# What a judge writes to both orders, by whom it prefers: -1 baseline, 0 tie, 1 candidate.
REPLIES = {-1: ("[[A]]", "[[B]]"), 0: ("[[C]]", "[[C]]"), 1: ("[[B]]", "[[A]]"),
           None: ("Neither.", "[[A]]")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """A case: what the judge says (None: nothing), what each annotator does (None: not asked)."""

    judge: int | None
    people: Sequence[int | None] = ()
    question: str = "What is better?"
    answers: tuple[str, str] = ("The baseline wrote this.", "The candidate wrote that.")


def judged_runs(study: Study, pairs: Sequence[Pair], *, model: str = "some-judge") -> Run:
    """Two runs, their batch, and the run of a judge of them."""
    suite = Suite.objects.create(
        name=f"pairs-{uuid4().hex[:6]}", version=1, title="Pairs", digest=uuid4().hex * 2,
        format="suite", case_count=len(pairs),
    )  # fmt: skip
    Case.objects.bulk_create(
        Case(suite=suite, position=number, case_id=f"pair-{number}",
             messages=[{"role": "user", "content": pair.question}])
        for number, pair in enumerate(pairs, start=1)
    )  # fmt: skip
    baseline, candidate = (
        _run(study, suite, system, [pair.answers[side] for pair in pairs])
        for side, system in enumerate(("baseline", "candidate"))
    )
    batch_from_runs(baseline, candidate)
    questions = judge_cases(baseline, candidate)
    said = []
    for case in questions.cases.order_by("position"):
        pair = pairs[case.metadata["position"] - 1]
        said.append(REPLIES[pair.judge][case.metadata["order"] == "candidate_first"])
    return _run(study, questions, "judge", said, model)


def _run(study: Study, suite: Suite, system: str, texts: Sequence[str], model: str = "") -> Run:
    run = Run.objects.create(
        study=study, number=Run.objects.filter(study=study).count() + 1, suite=suite,
        system=system, source="imported", state="done", ended_at=timezone.now(), model=model,
    )  # fmt: skip
    Generation.objects.bulk_create(
        Generation(run=run, case=case, position=case.position, state="done", text=text,
                   done_at=timezone.now(), tries=1)
        for case, text in zip(suite.cases.order_by("position"), texts, strict=True)
    )  # fmt: skip
    return run


def let_judge(study: Study, people: Sequence[User], pairs: Sequence[Pair]) -> None:
    """Every vote that the pairs tell of, blind, each in a slot of its item."""
    slots: dict[str, list[Task]] = {}
    free = Task.objects.filter(study=study, state="free").select_related("item")
    for task in free.order_by("item_id", "slot"):
        slots.setdefault(str(task.item.item_id), []).append(task)
    tasks, judgements = [], []
    for number, pair in enumerate(pairs, start=1):
        for person, said in zip(people, pair.people, strict=False):
            if said is None or not slots.get(f"pair-{number}"):
                continue
            task = slots[f"pair-{number}"].pop(0)
            task.state, task.annotator, task.version = Task.State.JUDGED, person, 1
            task.claimed_at = task.judged_at = timezone.now()
            tasks.append(task)
            judgements.append(_judgement(study, task, person, said))
    keep_judged(tasks, judgements)


def _judgement(study: Study, task: Task, person: User, said: int) -> Judgement:
    side = Side(task.candidate_side or "")
    return Judgement(
        study=study, task=task, annotator=person, version=1, candidate_side=side,
        scale=study.scale, choice=unblind(said, side), preference=said,
        submission_key=uuid4(), payload_digest="0" * 64,
    )  # fmt: skip


def items_of(pairs: Sequence[Pair], annotators: int) -> JudgedItems:
    """The same as arrays, each pair a row of its own."""
    known = [pair for pair in pairs if pair.judge is not None]
    judged = [pair for pair in known if any(said is not None for said in pair.people)]
    votes = [
        (row, who, said + 1)
        for row, pair in enumerate(judged)
        for who, said in enumerate(pair.people)
        if said is not None
    ]
    row, who, what = np.array(votes, dtype=np.int64).reshape(-1, 3).T
    rest = [pair.judge for pair in known if all(said is None for said in pair.people)]
    return JudgedItems(
        judge=np.array([(pair.judge or 0) + 1 for pair in judged], dtype=np.int64),
        times=np.ones(len(judged), dtype=np.int64),
        row=row, who=who, what=what, annotators=annotators,
        unlabelled=np.array([rest.count(said) for said in (-1, 0, 1)], dtype=np.int64),
    )  # fmt: skip


def drawn_pairs(
    count: int, labelled: int, *, annotators: int = 3, good: float = 0.9, seed: int = 1
) -> list[Pair]:
    """Pairs of which the first few were judged; a judge is right as often as `good`."""
    draw = np.random.default_rng(seed)

    def say(truth: int, right: float) -> int:
        return int(truth if draw.random() < right else draw.integers(-1, 2))

    pairs = []
    for number in range(count):
        truth = int(draw.choice([-1, 0, 1], p=[0.35, 0.1, 0.55]))
        people = [say(truth, 0.85) if number < labelled else None for _ in range(annotators)]
        pairs.append(Pair(say(truth, good), people))
    return pairs
