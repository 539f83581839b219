"""What a gate waits for, in words: which page or command would measure it, what was left out."""

from collections.abc import Iterable, Sequence

from annotate.models import Study
from evals.models import Endpoint, Run
from evals.queries.runs import SuiteRun
from evals.stats import wording

NO_SUITE = "no suite has been run for it"
# A suite of ours that would measure each gate, and what it has to have.
MEASURED_BY = {
    "target_improvement": ("tool_calling", "target cases"),
    "general_regression": ("general_knowledge", "general cases"),
    "exact_match": ("general_knowledge", "cases scored by exact match"),
    "latency_p99": ("tool_calling", "cases, answered by calls"),
    "adversarial": ("tool_calling", "cases of a category named adversarial"),
    "schema_compliance": ("structured_output", "cases scored by json_schema or json_valid"),
}
ENDED = {
    Run.State.CANCELLED: "was cancelled",
    Run.State.STOPPED: "was stopped at its limit",
    Run.State.RUNNING: "has not ended yet",
}


def needs_run(study: Study, key: str) -> str:
    """What would measure a gate while no suite has been answered by both systems."""
    suite, _ = MEASURED_BY[key]
    return f"Start a run on the page Runs, or: {_command(study, suite)}."


def needs_cases(study: Study, key: str) -> str:
    """What would measure a gate that the suites run so far say nothing of."""
    suite, cases = MEASURED_BY[key]
    return f"Run a suite with {cases} on the page Runs, or: {_command(study, suite)}."


def _command(study: Study, suite: str) -> str:
    return f"manage.py evaluate {study.slug} --suite {suite}"


def fewer_requests(more: int) -> str:
    """How many requests are missing to a first interval of the 99th percentile."""
    if more <= 0:
        return ""
    requests = "request" if more == 1 else "requests"
    return f"{wording.count(more)} more {requests} of each system would give a first interval."


def no_pair(suites: Sequence[SuiteRun]) -> str:
    """Why no suite has a pair of finished runs."""
    if not suites:
        return NO_SUITE
    return "; ".join(_lacking(suite) for suite in suites)


def _lacking(suite: SuiteRun) -> str:
    ended = [_ended(run) for run in suite.runs if run.state != Run.State.DONE][:2]
    if ended:
        return f"{suite.name}: {' and '.join(ended)}"
    if suite.lacks:
        return f"{suite.name}: the {' and the '.join(suite.lacks)} has no finished run"
    return f"{suite.name}: the two systems answered different versions"


def _ended(run: Run) -> str:
    return f"run {run.number} ({run.system}) {ENDED[Run.State(run.state)]}"


def notes_on(suites: Iterable[SuiteRun]) -> tuple[str, ...]:
    """What a reader of the verdict has to know of the runs behind it."""
    found = list(suites)
    said = [note for suite in found for note in _left_out(suite)]
    runs = [run for suite in found if suite.pair for run in suite.pair.runs]
    return (*said, *_stand_ins(runs), *_several_models(runs))


def _left_out(suite: SuiteRun) -> list[str]:
    """Later runs that feed no gate, and versions that both have yet to answer."""
    if suite.pair is None:
        return []
    left = [run for run in suite.pair.newer if run.state != Run.State.DONE]
    said = [
        f"Run {run.number} ({run.suite.name}, {run.system}) {ENDED[Run.State(run.state)]} "
        "and feeds no gate."
        for run in left
    ]
    if suite.pair.newest_version > suite.suite.version:
        said.append(
            f"{suite.name} has a version {suite.pair.newest_version} that both systems have yet "
            f"to answer; version {suite.suite.version} speaks here."
        )
    return said


def _stand_ins(runs: Sequence[Run]) -> list[str]:
    answering = Endpoint.objects.filter(runs__in=runs, kind=Endpoint.Kind.STAND_IN)
    stand_ins = set(answering.values_list("pk", flat=True))
    numbers = [run.number for run in runs if run.endpoint_id in stand_ins]
    if not numbers:
        return []
    which = ", ".join(str(number) for number in sorted(numbers))
    return [f"Answered by the built-in stand-in, not by a model: runs {which}."]


def _several_models(runs: Sequence[Run]) -> list[str]:
    """Suites that were answered by different models are evidence of different systems."""
    said = []
    for system in ("baseline", "candidate"):
        models = sorted({run.model for run in runs if run.system == system and run.model})
        if len(models) > 1:
            said.append(f"The {system}'s runs name different models: {', '.join(models)}.")
    return said
