"""manage.py run_judge: a model compares the answers of two runs, each pair in both orders."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from annotate.commanding import RefusedCommandError, StudyCommand, study_named
from evals.evaluating import (
    Limits,
    NoEndpointError,
    RefusedEvaluationError,
    judge_endpoint,
    judge_run,
)
from evals.management.arguments import at_least_one, money
from evals.management.commands.score_run import run_numbered
from evals.management.watching import ProgressLine, stopping
from evals.metrics.judge import DEFAULT_CRITERIA
from evals.model_judge import JudgeCounts, counts_of, signature_of, verdicts
from evals.models import Run
from evals.running import work_on


class Command(StudyCommand):
    help = (
        "Have a model compare the answers of two runs, each pair in both orders: only what both "
        "orders agree on is a win. What was asked before is not asked again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--baseline-run", type=at_least_one, required=True, metavar="N")
        parser.add_argument("--candidate-run", type=at_least_one, required=True, metavar="M")
        asked = parser.add_mutually_exclusive_group(required=True)
        asked.add_argument("--endpoint", metavar="E", help="the judge, by its name")
        asked.add_argument("--stand-in", action="store_true",
                           help="ask the built-in stand-in, which is no model")  # fmt: skip
        parser.add_argument("--criteria", type=Path, metavar="FILE", help="what counts, in words")
        parser.add_argument("--call-limit", type=at_least_one, metavar="N")
        parser.add_argument("--cost-limit", type=money, metavar="AMOUNT")
        parser.add_argument("--fresh", action="store_true", help="ask again what was answered")

    def answer(self, **options: Any) -> dict[str, Any]:
        study = study_named(options["study"])
        baseline = run_numbered(study, options["baseline_run"])
        candidate = run_numbered(study, options["candidate_run"])
        try:
            run = judge_run(
                baseline,
                candidate,
                judge_endpoint(options["endpoint"] or "", stand_in=options["stand_in"]),
                criteria=_criteria(options["criteria"]),
                limits=Limits(options["call_limit"], options["cost_limit"]),
                fresh=options["fresh"],
            )
        except (NoEndpointError, RefusedEvaluationError) as error:
            raise RefusedCommandError(str(error)) from error
        self._work(run)
        run.refresh_from_db()
        return _answer(run, [baseline, candidate])

    def _work(self, run: Run) -> None:
        line = ProgressLine(self.stderr)
        with stopping(self.stderr) as stop:
            work_on([run], watch=line, should_stop=stop)
        line.clear()
        if stop():
            raise RefusedCommandError(
                f"Stopped. Run {run.number} keeps what the judge said; the same command goes on."
            )

    def in_words(self, answer: dict[str, Any]) -> str:
        rate, flips = answer["decided_win_rate"], answer["inconsistency"]
        return "\n".join([
            f"Judged by {answer['judge']} (run {answer['run']}, {answer['state']}): "
            f"{answer['wins']:,} for the candidate, {answer['ties']:,} ties, "
            f"{answer['losses']:,} for the baseline, {answer['unscored']:,} without a verdict.",
            f"Of what was decided the candidate won {_share(rate)}.",
            f"The judge changed sides with the order in {_share(flips)}; those pairs are ties.",
        ])  # fmt: skip


def _criteria(path: Path | None) -> str:
    if path is None:
        return DEFAULT_CRITERIA
    try:
        return path.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise RefusedCommandError(f"{path} cannot be read: {error}.") from error


def _answer(run: Run, runs: list[Run]) -> dict[str, Any]:
    found = list(verdicts(run))
    counts: JudgeCounts = counts_of(found)
    return {
        "study": run.study.slug,
        "run": run.number,
        "state": run.get_state_display().lower(),
        "judge": run.model,
        "signature": signature_of(run).text,
        "baseline_run": runs[0].number,
        "candidate_run": runs[1].number,
        "cases": len(found),
        "wins": counts.wins,
        "ties": counts.ties,
        "losses": counts.losses,
        "unscored": counts.unscored,
        "judged": counts.judged,
        "inconsistent": counts.inconsistent,
        "not_asked": counts.not_asked,
        "decided_win_rate": counts.decided_win_rate().as_json(),
        "inconsistency": counts.inconsistency().as_json(),
        "verdicts": [
            {"case": one.case_id, "category": one.category, "verdict": one.winner,
             "reason": one.reason, "asked": one.asked, "consistent": one.consistent}
            for one in found
        ],
    }  # fmt: skip


def _share(found: dict[str, Any]) -> str:
    if found["value"] is None:
        return f"an unknown share ({found['reason']})"
    ends = f"{100 * found['low']:.1f} to {100 * found['high']:.1f}"
    return f"{100 * found['value']:.1f} % ({ends}, {found['n']:,} pairs)"
