"""Rows of suites and runs for tests, without the pages and commands that make them in life."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from django.utils import timezone

from annotate.models import Study
from evals.models import Case, Endpoint, Generation, Run, Score, ScorerVersion, Suite

EXACT = {"name": "exact_match", "parameters": {}}


def make_endpoint(name: str = "Fern", **fields: object) -> Endpoint:
    given = {"base_url": "https://models.example/v1", "model": "fern-2", **fields}
    return Endpoint.objects.create(name=name, **given)


def make_suite(
    name: str = "capitals",
    cases: int = 6,
    *,
    categories: Sequence[str] = ("simple", "edge_case", "adversarial"),
    split: str = "target",
) -> Suite:
    """A suite of questions whose answer is their number, scored by exact match."""
    suite = Suite.objects.create(
        name=name,
        version=Suite.objects.filter(name=name).count() + 1,
        title=name.replace("_", " ").capitalize(),
        digest=uuid4().hex * 2,
        format="suite",
        case_count=cases,
    )
    Case.objects.bulk_create(
        Case(
            suite=suite,
            position=number,
            case_id=f"{name}-{number}",
            messages=[{"role": "user", "content": f"What is {number}?"}],
            expected={"answers": [str(number)]},
            category=categories[number % len(categories)] if categories else "",
            split=split,
            scorer=EXACT,
        )
        for number in range(1, cases + 1)
    )
    return suite


def make_run(
    study: Study,
    suite: Suite,
    system: str = "candidate",
    *,
    passed: Sequence[bool | None] = (),
    pair: UUID | None = None,
    latencies: Sequence[float] = (),
) -> Run:
    """A run that is done: case by case passed, failed, or (None) ended in an error."""
    run = Run.objects.create(
        study=study,
        number=Run.objects.filter(study=study).count() + 1,
        suite=suite,
        system=system,
        pair=pair or uuid4(),
        source="imported",
        model=f"{system}-model",
        state="done",
        ended_at=timezone.now(),
    )
    scorer, _ = ScorerVersion.objects.get_or_create(
        name="exact_match", signature="exact_match|version:1|level:output"
    )
    cases = list(suite.cases.order_by("position"))
    outcomes = [passed[index] if index < len(passed) else True for index in range(len(cases))]
    took = [latencies[index] if index < len(latencies) else None for index in range(len(cases))]
    generations = Generation.objects.bulk_create(
        _generation(run, *one) for one in zip(cases, outcomes, took, strict=True)
    )
    Score.objects.bulk_create(
        Score(
            generation=generation, scorer=scorer, own=True, value=float(outcome or 0),
            passed=bool(outcome), parts={} if outcome is not None else {"fault": "no output"},
        )
        for generation, outcome in zip(generations, outcomes, strict=True)
    )  # fmt: skip
    return run


def _generation(run: Run, case: Case, outcome: bool | None, latency: float | None) -> Generation:
    right = case.expected["answers"][0]
    failed = outcome is None
    return Generation(
        run=run,
        case=case,
        position=case.position,
        state="done",
        text=None if failed else (right if outcome else f"not {right}"),
        finish_reason="" if failed else "stop",
        error_kind="timeout" if failed else "",
        error="No answer within 60 s." if failed else "",
        latency_ms=latency,
        tries=1,
        done_at=timezone.now(),
    )
