"""What a judge's answers amount to: a winner for each case, or the reason why there is none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from evals.metrics import Output, Scored, Signature
from evals.metrics.judge import DEFAULT_CRITERIA, combine, judge_signature
from evals.model_judge.asking import BASELINE_FIRST
from evals.model_judge.pairs import Answered, JudgeError, pairs_of
from evals.models import Case, Generation, Run, Suite
from evals.scoring import output_of
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.proportions import clopper_pearson_interval

Winner = Literal["baseline", "tie", "candidate"]
WINNERS: dict[str, Winner] = {"baseline": "baseline", "tie": "tie", "candidate": "candidate"}
NOT_ASKED = Output(error="it was not asked")
BOTH_FAILED = "both systems failed"


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """Who is better on one case. Without a winner, `reason` says why.

    `asked` is False where nobody had to be: one failed, or both wrote the same. `consistent` says
    whether both orders agreed; a judge that changed sides with the order found a tie.
    """

    case_id: str
    position: int
    category: str
    winner: Winner | None
    reason: str = ""
    asked: bool = True
    consistent: bool | None = None


@dataclass(frozen=True, slots=True)
class JudgeCounts:
    """Cases by winner, seen from the candidate; `decided_win_rate` leaves ties out.

    `inconsistent` of `judged` pairs changed sides with the order. What the judge prefers is not
    what people prefer: how far the two agree is another measure.
    """

    wins: int
    ties: int
    losses: int
    unscored: int
    judged: int
    inconsistent: int
    not_asked: int

    def decided_win_rate(self, confidence: float = 0.95) -> Estimate | Undefined:
        return attempt(clopper_pearson_interval, self.wins, self.wins + self.losses, confidence)

    def inconsistency(self, confidence: float = 0.95) -> Estimate | Undefined:
        return attempt(clopper_pearson_interval, self.inconsistent, self.judged, confidence)


def judged_runs(judge_run: Run) -> tuple[Run, Run]:
    """The baseline's and the candidate's run that `judge_run` is about."""
    about = _about(judge_run)
    runs = Run.objects.select_related("suite").in_bulk(
        [about.get("baseline_run"), about.get("candidate_run")]
    )
    found = {run.system: run for run in runs.values()}
    if judge_run.suite.format != Suite.DERIVED or found.keys() != {"baseline", "candidate"}:
        raise JudgeError(f"Run {judge_run.number} is no judge's.")
    return found["baseline"], found["candidate"]


def signature_of(judge_run: Run) -> Signature:
    """What the verdicts depend on: the judge's model, its criteria and its exact words."""
    criteria = _about(judge_run).get("criteria", DEFAULT_CRITERIA)
    return judge_signature(judge_run.model, str(criteria))


def _about(judge_run: Run) -> dict[str, object]:
    first = Case.objects.filter(suite=judge_run.suite_id).order_by("position").first()
    return dict(first.metadata) if first else {}


def verdicts(judge_run: Run) -> Iterator[CaseVerdict]:
    """A verdict for each case that both systems were asked, in the order of their suite.

    Raises
    ------
    JudgeError
        If `judge_run` is no judge's.
    """
    baseline, candidate = judged_runs(judge_run)
    answers = _Answers(judge_run)
    for pair in pairs_of(baseline, candidate):
        yield _settled(pair) if pair.settled else _judged(pair, answers.of(pair.case.position))


class _Answers:
    """The judge's answers in their order, two a case: one pair in memory at a time."""

    def __init__(self, judge_run: Run) -> None:
        answers = Generation.objects.filter(run=judge_run).select_related("case")
        self._rest = answers.order_by("position").iterator(chunk_size=200)
        self._next = next(self._rest, None)

    def of(self, position: int) -> tuple[Output, Output]:
        """The answers to the pair of the case at `position`: baseline first, candidate first."""
        found = {True: NOT_ASKED, False: NOT_ASKED}
        while self._next is not None and self._next.case.metadata["position"] <= position:
            told = self._next.case.metadata
            if told["position"] == position:
                found[told["order"] == BASELINE_FIRST] = _output(self._next)
            self._next = next(self._rest, None)
        return found[True], found[False]


def _output(generation: Generation) -> Output:
    if generation.state != Generation.State.DONE:
        return Output(error="it has not been asked yet")
    return output_of(generation)


def _settled(pair: Answered) -> CaseVerdict:
    case, winner = pair.case, WINNERS.get(pair.settled)
    reason = "" if winner else BOTH_FAILED
    return CaseVerdict(case.case_id, case.position, case.category, winner, reason, asked=False)


def _judged(pair: Answered, answers: tuple[Output, Output]) -> CaseVerdict:
    case, result = pair.case, combine(*answers)
    if not isinstance(result, Scored):
        return CaseVerdict(case.case_id, case.position, case.category, None, result.reason)
    return CaseVerdict(
        case.case_id,
        case.position,
        case.category,
        WINNERS[str(result.parts["winner"])],
        consistent=bool(result.parts["consistent"]),
    )


def counts_of(found: Sequence[CaseVerdict]) -> JudgeCounts:
    winners = [one.winner for one in found]
    return JudgeCounts(
        wins=winners.count("candidate"),
        ties=winners.count("tie"),
        losses=winners.count("baseline"),
        unscored=winners.count(None),
        judged=sum(one.consistent is not None for one in found),
        inconsistent=sum(one.consistent is False for one in found),
        not_asked=sum(not one.asked for one in found),
    )
