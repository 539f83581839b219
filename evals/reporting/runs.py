"""What the pages of runs say: how far, how long, what failed, how fast, at what cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from evals.models import Run
from evals.reporting.compared import shown_time
from evals.reporting.costs import run_cost
from evals.reporting.numbers import Shown, shown
from evals.reporting.run_chart import LatencyChart, latency_chart
from evals.running.progress import Progress, progress_of
from evals.running.reading import (
    ErrorGroup,
    Latencies,
    errors_of,
    last_failure,
    latencies_of,
    latest_answers,
    other_of_pair,
    truncated_of,
)
from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.latency import quantile_interval
from evals.stats.proportions import clopper_pearson_interval

LATEST = 8
# From here on the largest latency is above the 99th percentile with 95 %.
LEAST_FOR_P99 = 299
# The rest of a sentence that may hold a number.
ERRORS = {
    "refused_address": "The address may not be called",
    "unreachable": "The service could not be reached",
    "timeout": "Timed out after {timeout_seconds} s",
    "rate_limited": "Too many requests (429)",
    "unauthorised": "The key was refused",
    "bad_request": "The request was refused",
    "server_error": "Error of the service (5xx)",
    "redirected": "A redirect, which is not followed",
    "too_large": "The answer was too large",
    "not_json": "No chat completion came back",
    "cut_off": "The connection broke off",
    "no_choice": "An answer without a choice",
    "no_key": "The key is missing",
    "lost": "The process that asked ended",
}


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One kind of error, or answers that were cut off; `show` and `kind` choose its cases."""

    title: str
    detail: str
    count: str
    last_at: datetime | None
    show: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class RunPage:
    run: Run
    system_name: str
    progress: Progress
    finding: str
    pace: str
    errors_share: Shown
    errors_count: str
    truncated: str
    median: Shown
    p99: Shown
    cost: str
    cost_words: str
    chart: LatencyChart | None
    left_out: str
    errors: Sequence[ErrorRow]
    latest: Sequence[Any]
    other: Run | None
    last_failure: str
    updated_at: datetime


def run_page(run: Run) -> RunPage:
    """All that is counted on the page of a run."""
    progress = progress_of(run)
    latencies, other = latencies_of(run), other_of_pair(run)
    cut, cut_at = truncated_of(run)
    cost, cost_words = run_cost(run, progress)
    share = attempt(clopper_pearson_interval, progress.errors, progress.done)
    return RunPage(
        run=run,
        system_name=system_name(run),
        progress=progress,
        finding=finding(run, progress),
        pace=_pace_words(run, progress),
        errors_share=shown(share, "share", "cases"),
        errors_count=wording.counted(progress.errors, "cases"),
        truncated=f"{wording.counted(cut, 'answers')} cut off" if cut else "",
        median=shown_time(latency_quantile(latencies, 0.5)),
        p99=shown_time(latency_quantile(latencies, 0.99)),
        cost=cost,
        cost_words=cost_words,
        chart=_chart(run, latencies, other),
        left_out=_left_out(latencies),
        errors=[*_error_rows(run), *_truncated_rows(run, cut, cut_at)],
        latest=latest_answers(run, LATEST),
        other=other,
        last_failure=last_failure(run),
        updated_at=timezone.now(),
    )


def system_name(run: Run) -> str:
    """What the study calls the system of a run."""
    names = {
        Run.System.BASELINE: run.study.baseline_name,
        Run.System.CANDIDATE: run.study.candidate_name,
    }
    return names.get(Run.System(run.system), run.get_system_display())


def latency_quantile(latencies: Latencies, q: float) -> Estimate | Undefined:
    """A quantile of the latencies, or how many requests it would take."""
    n = int(latencies.values.size)
    if not n:
        return Undefined("no request was timed")
    if q == 0.99 and n < LEAST_FOR_P99:
        requests = wording.counted(n, "requests")
        return Undefined(f"{requests}, p99 needs {LEAST_FOR_P99}", n)
    return attempt(quantile_interval, latencies.values, q)


def finding(run: Run, progress: Progress) -> str:
    done, total = wording.count(progress.done), wording.counted(progress.total, "cases")
    if run.source == Run.Source.IMPORTED:
        return f"{wording.counted(progress.done, 'outputs')} came in from files"
    if run.state == Run.State.CANCELLED:
        return f"Cancelled after {done} of {total}"
    if run.state == Run.State.STOPPED:
        return f"Stopped after {done} of {total}"
    if run.state == Run.State.DONE:
        return _done_words(progress)
    left = f", {duration(progress.seconds_left)} left" if progress.seconds_left else ""
    return f"{done} of {total} answered{left}"


def _done_words(progress: Progress) -> str:
    total = wording.counted(progress.total, "cases")
    if not progress.errors:
        return f"All {total} are answered" if progress.total > 1 else "The one case is answered"
    good = wording.count(progress.total - progress.errors)
    return f"{good} of {total} answered, {wording.count(progress.errors)} ended in an error"


def duration(seconds: float) -> str:
    """ "about 9 minutes"; no more exact than anybody can know."""
    for size, word in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 1.5 * size or (word == "minutes" and seconds >= size):
            return f"about {wording.counted(round(seconds / size), word)}"
    return "less than a minute"


def _pace_words(run: Run, progress: Progress) -> str:
    at_a_time = f"{run.endpoint_settings.get('concurrency', 1)} at a time"
    if progress.is_over:
        return ""
    if progress.per_minute is None:
        waiting = progress.waiting and progress.waiting == progress.pending
        return "waiting for the service" if waiting else f"nothing answered lately, {at_a_time}"
    return f"{wording.count(round(progress.per_minute))} a minute, {at_a_time}"


def _left_out(latencies: Latencies) -> str:
    kinds = (
        (latencies.cached, "answers", "from a cache"),
        (latencies.retried, "answers", "of a retry"),
        (latencies.unmeasured, "answers", "that nobody timed"),
    )
    told = [f"{wording.counted(count, word)} {what}" for count, word, what in kinds if count]
    return f"Left out: {', '.join(told)}." if told else ""


def _chart(run: Run, latencies: Latencies, other: Run | None) -> LatencyChart | None:
    mine = (run.system, f"{system_name(run)}, this run", latencies.values)
    if other is None:
        return latency_chart([mine])
    theirs = latencies_of(other).values
    return latency_chart(
        [mine, (other.system, f"{system_name(other)}, run {other.number}", theirs)]
    )


def _error_rows(run: Run) -> list[ErrorRow]:
    return [
        ErrorRow(
            error_title(group.kind, run),
            f"{_tries(group)}. {group.error}",
            wording.count(group.count),
            group.last_at,
            "errors",
            group.kind,
        )
        for group in errors_of(run)
    ]


def error_title(kind: str, run: Run) -> str:
    seconds = run.endpoint_settings.get("timeout_seconds", "?")
    return ERRORS.get(kind, kind or "Error").format(timeout_seconds=seconds)


def _tries(group: ErrorGroup) -> str:
    if group.fewest_tries == group.most_tries:
        each = " each" if group.count > 1 else ""
        return f"{wording.counted(group.most_tries, 'tries')}{each}".replace("1 trie", "1 try")
    return f"{group.fewest_tries} to {group.most_tries} tries"


def _truncated_rows(run: Run, count: int, last_at: datetime | None) -> list[ErrorRow]:
    if not count:
        return []
    words = "Stopped by the service before it had finished; scored as it stands"
    title = "Answer cut off at its limit"
    return [ErrorRow(title, words, wording.count(count), last_at, "truncated")]
