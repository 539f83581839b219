"""A study with runs of three suites, for pages: losses, errors, calls, hostile outputs, scorers."""

import random
from uuid import UUID, uuid4

from django.utils import timezone

from annotate.models import Study
from evals.models import Attempt, Case, Generation, Run, Score, ScorerVersion, Suite
from tests.evals.factories import make_run, make_suite

HOSTILE = '<script>window.__pwned = 1</script><img src=x onerror="alert(1)"> {{ settings }}'
KNOWLEDGE = ("arts", "geography", "history", "maths", "science")


def knowledge(study: Study, cases: int = 50, *, seed: int = 1) -> Suite:
    """General questions; the candidate falls from all to three in history."""
    rng = random.Random(seed)
    suite, together = make_suite("knowledge", cases, categories=KNOWLEDGE, split="general"), uuid4()
    marks, lost = [], 0
    for case in suite.cases.order_by("position"):
        falls = case.category == "history" and lost < 7
        lost += falls
        marks.append(not falls)
    for system, passed in (("baseline", [True] * cases), ("candidate", marks)):
        slower = 1.2 if system == "candidate" else 1.0
        times = [slower * 900 * rng.lognormvariate(0, 0.5) for _ in range(cases)]
        run = make_run(study, suite, system, passed=passed, pair=together, latencies=times)
        _graded(run, rng)
    return suite


def _graded(run: Run, rng: random.Random) -> None:
    rouge, _ = ScorerVersion.objects.get_or_create(
        name="rouge_l", signature='rouge_l|version:1|level:output|pass_at:null|text:"f1"'
    )
    Score.objects.bulk_create(
        Score(generation=answer, scorer=rouge, own=False,
              value=round(rng.random(), 1), parts={"precision": 0.5, "words": 12})
        for answer in run.generations.all()
    )  # fmt: skip


def calling(study: Study) -> Suite:
    """Tool calls with a hostile output, an error with two tries, a cut-off and an unscored case."""
    suite, together = make_suite("tool_calling", 30), uuid4()
    rng = random.Random(4)
    for system, share in (("baseline", 0.6), ("candidate", 0.85)):
        marks: list[bool | None] = [rng.random() < share for _ in range(29)]
        if system == "candidate":
            marks[4] = None
        _open_run(study, suite, system, together, marks)
    return suite


def _open_run(
    study: Study, suite: Suite, system: str, together: UUID, marks: list[bool | None]
) -> Run:
    exact, _ = ScorerVersion.objects.get_or_create(
        name="tool_calls", signature="tool_calls|version:1|level:output|strings:loose"
    )
    run = Run.objects.create(
        study=study, number=Run.objects.filter(study=study).count() + 1, suite=suite,
        system=system, pair=together, source="imported", model=f"{system}-model", state="done",
        ended_at=timezone.now(),
    )  # fmt: skip
    for case in suite.cases.order_by("position"):
        mark = marks[case.position - 1] if case.position <= len(marks) else False
        answer = _answer(run, case, mark)
        if case.position <= len(marks):
            Score.objects.create(
                generation=answer, scorer=exact, own=True, value=float(bool(mark)),
                passed=bool(mark),
                parts={"names match": True, "arguments": "order_id differs", "calls": 2},
            )  # fmt: skip
        else:
            Score.objects.create(generation=answer, scorer=exact, own=True, value=None,
                                 reason="the schema of the case cannot be read")  # fmt: skip
    return run


def _answer(run: Run, case: Case, mark: bool | None) -> Generation:
    fields: dict[str, object] = {
        "text": HOSTILE if case.position == 3 else f"It is {case.position}."
    }
    if mark is None:
        fields = {"error": "No answer within 60 s. <b>timeout</b>", "error_kind": "timeout"}
    elif case.position % 2:
        fields |= {"tool_calls": [{"name": "track_parcel", "arguments": '{"order_id": "NP-1"}'}]}
    answer = Generation.objects.create(
        run=run, case=case, position=case.position, state="done", done_at=timezone.now(),
        tries=2 if mark is None else 1, prompt_tokens=200 + case.position,
        completion_tokens=30 + case.position, finish_reason="length" if case.position == 7 else "",
        **fields,
    )  # fmt: skip
    if mark is None:
        Attempt.objects.create(
            generation=answer, number=1, status=503, error_kind="server", error="overloaded"
        )
    return answer


def lone(study: Study) -> Suite:
    """A suite that the baseline alone has answered."""
    suite = make_suite("structured_output", 4)
    make_run(study, suite, "baseline")
    return suite
