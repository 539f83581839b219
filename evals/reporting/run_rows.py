"""Rows of the pages of runs: runs of a list, answers of a run, runs that are not started yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from annotate.models import Study
from evals.models import Case, Generation, Run, Score
from evals.reporting.compared import time_words
from evals.reporting.costs import forecast_cost
from evals.reporting.numbers import many
from evals.reporting.runs import error_title, system_name
from evals.running.forecasting import Forecast
from evals.stats import wording

# What a row holds of a text that may be a megabyte long.
FIRST_CHARS = 200
SHOWN = (
    ("all", "All"),
    ("failed", "Failed"),
    ("errors", "Errors"),
    ("truncated", "Cut off"),
    ("unscored", "Unscored"),
)


@dataclass(frozen=True, slots=True)
class RunRow:
    number: int
    suite: str
    system: str
    system_name: str
    model: str
    state: str
    detail: str
    done: int
    total: int
    is_running: bool
    errors: str
    started_at: datetime
    started_by: str


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One case that is done. `look` is what became of it: passed, failed or unscored."""

    position: int
    case_id: str
    text: str
    note: str
    is_error: bool
    look: str
    score_detail: str
    latency: str
    tokens: str
    tries: int


@dataclass(frozen=True, slots=True)
class ForecastRow:
    system: str
    endpoint: str
    calls: str
    most_calls: str
    cost: str
    cost_detail: str


def runs_finding(study: Study) -> str:
    count = Run.objects.filter(study=study).count()
    running = Run.objects.filter(study=study, state=Run.State.RUNNING).count()
    if not count:
        return "No suite has been put to the systems yet"
    going = f", {many(running, 'runs').removesuffix(' runs').removesuffix(' run')} under way"
    return f"{many(count, 'runs').capitalize()}{going if running else ''}"


def run_row(run: Any) -> RunRow:
    """A run with its counts `total`, `done` and `errors`."""
    return RunRow(
        number=run.number,
        suite=str(run.suite),
        system=run.get_system_display(),
        system_name=system_name(run),
        model=run.model,
        state=_state(run),
        detail=run.stop_reason or _counts(run.done, run.total),
        done=run.done,
        total=run.total,
        is_running=run.state == Run.State.RUNNING,
        errors=wording.count(run.errors),
        started_at=run.created_at,
        started_by=str(run.started_by or ""),
    )


def _state(run: Run) -> str:
    if run.source == Run.Source.IMPORTED:
        return "Imported"
    # Why it was stopped stands beside it.
    return "Stopped" if run.state == Run.State.STOPPED else run.get_state_display()


def _counts(done: int, total: int) -> str:
    if done == total:
        return wording.counted(total, "cases")
    return f"{wording.count(done)} of {wording.counted(total, 'cases')}"


def answer_row(answer: Generation, run: Run) -> AnswerRow:
    """An answer with the list `own_scores` of its case's own scorer."""
    scores: list[Score] = getattr(answer, "own_scores", [])
    look, detail = _score_words(scores[0] if scores else None, answer.case)
    return AnswerRow(
        position=answer.position,
        case_id=_short(answer.case.case_id, 60),
        text=_short(answer.text or "", FIRST_CHARS),
        note=_note(answer, run),
        is_error=bool(answer.error),
        look=look,
        score_detail=_short(detail, FIRST_CHARS),
        latency="–" if answer.latency_ms is None else time_words(answer.latency_ms),
        tokens=(
            "–" if answer.completion_tokens is None else wording.count(answer.completion_tokens)
        ),
        tries=answer.tries,
    )


def _score_words(score: Score | None, case: Case) -> tuple[str, str]:
    """How the case ended, and why it has no score where it has none."""
    if score is None:
        bare = case.scorer is None and not case.expected
        return "–", "nothing is expected of this case" if bare else "not scored yet"
    if score.value is None:
        return "–", score.reason
    if score.passed is None:
        return wording.decimal(score.value, 2), ""
    return ("passed" if score.passed else "failed"), str(score.parts.get("fault") or "")


def _note(answer: Generation, run: Run) -> str:
    """What an answer holds beside its text, or instead of it."""
    if answer.error:
        return f"No answer: {error_title(answer.error_kind, run)}. {_short(answer.error, 160)}"
    names = [str(call.get("name") or "?") for call in answer.tool_calls or []]
    told = [f"Calls {', '.join(names)}"] if names else []
    if answer.refusal:
        told.append(f"Refused: {_short(answer.refusal, 120)}")
    if answer.finish_reason == "length":
        told.append("Cut off")
    if answer.text is None and not told:
        told.append("No text")
    if answer.text == "":
        told.append("Empty")
    return ". ".join(told)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def forecast_row(told: Forecast) -> ForecastRow:
    most = f"{wording.count(told.most_calls)} if every case needs all its tries"
    return ForecastRow(
        told.system.capitalize(),
        f"{told.endpoint.name} ({told.endpoint.model})",
        wording.count(told.calls),
        most if told.most_calls > told.calls else "",
        *forecast_cost(told),
    )
