"""A run as commands print it: its counts, its errors by kind, its latencies as estimates."""

from typing import Any

from evals.models import Run
from evals.reporting.compared import shown_time
from evals.reporting.costs import CURRENCY, NOTHING
from evals.reporting.numbers import Shown, from_json, shown
from evals.reporting.output_lengths import run_length, shown_characters
from evals.reporting.runs import latency_quantile
from evals.running.progress import progress_of
from evals.running.reading import errors_of, latencies_of, truncated_of
from evals.stats.estimates import attempt
from evals.stats.proportions import clopper_pearson_interval
from evals.stats.wording import counted


def run_report(run: Run) -> dict[str, Any]:
    """The object that commands print for a run. Times are in milliseconds."""
    run.refresh_from_db()
    progress, latencies = progress_of(run), latencies_of(run)
    return {
        "number": run.number,
        "system": run.system,
        "state": run.state,
        "stop_reason": run.stop_reason or None,
        "suite": f"{run.suite.name}@{run.suite.version}",
        "endpoint": run.endpoint.name if run.endpoint else None,
        "model": run.model,
        "cases": progress.total,
        "done": progress.done,
        "errors": attempt(clopper_pearson_interval, progress.errors, progress.done).as_json()
        | {"count": progress.errors},
        "errors_by_kind": {group.kind: group.count for group in errors_of(run)},
        "truncated": truncated_of(run)[0],
        "retried": progress.retried,
        "calls": progress.calls,
        "cost": None if progress.cost is None else float(progress.cost),
        "latency_ms": {
            "median": latency_quantile(latencies, 0.5).as_json(),
            "p99": latency_quantile(latencies, 0.99).as_json(),
            "left_out": {
                "cached": latencies.cached,
                "retried": latencies.retried,
                "unmeasured": latencies.unmeasured,
            },
        },
        "length": run_length(run).as_json(),
    }


def run_report_in_words(told: dict[str, Any]) -> str:
    """A few lines for people in a terminal."""
    lines = [
        f"Run {told['number']}, {told['system']} ({told['model']}): {told['state']}, "
        f"{told['done']:,} of {counted(told['cases'], 'cases')}"
    ]
    if told["stop_reason"]:
        lines.append(f"  {told['stop_reason']}")
    share = shown(from_json(told["errors"]), "share", "cases")
    lines.append(f"  Errors: {told['errors']['count']:,}, {_facts(share)}")
    lines += [f"    {kind}: {count:,}" for kind, count in told["errors_by_kind"].items()]
    for name, title in (("median", "Median latency"), ("p99", "99th percentile")):
        lines.append(f"  {title}: {_facts(shown_time(from_json(told['latency_ms'][name])))}")
    mean = shown_characters(from_json(told["length"]["mean"]), "outputs")
    lines.append(f"  Mean length: {_facts(mean)}, in characters")
    lines.append(f"  Cost: {_cost_words(told['cost'])}")
    return "\n".join(lines)


def _cost_words(cost: float | None) -> str:
    if cost is None:
        return "not known: no prices, or no answer says how many tokens it took"
    return f"{cost:.4f} {CURRENCY}" if cost else NOTHING


def _facts(number: Shown) -> str:
    if number.why:
        # The reason counts what there is.
        return f"{number.value}  ({number.why})"
    return "  ".join(part for part in (number.value, number.interval, number.n) if part)
