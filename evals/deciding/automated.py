"""What finished pairs of runs say to six of the seven gates.

Each suite speaks through one pair of runs, the latest that both systems have finished. A run
that was cancelled or stopped at its limit feeds no gate, and what is left out is said.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from annotate.models import Study
from evals import queries
from evals.comparing import is_adversarial
from evals.deciding.needing import fewer_requests, needs_cases, needs_run, no_pair, notes_on
from evals.deciding.policy import PolicyInForce
from evals.deciding.resampling import LATENCY_SEED
from evals.gate import TARGET, Evidence, Gate
from evals.matching import RULE
from evals.queries.evidence import Answered, answered, first_tries, pooled, runs_of
from evals.queries.runs import PairedCell, RunPair, SuiteRun, own_counts, suites_run, summed
from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.latency import least_for_ratio, quantile_ratio
from evals.stats.paired import differences_with_alarm, newcombe_paired_difference
from evals.stats.proportions import clopper_pearson_interval
from evals.stats.regression import regressions
from evals.stats.relative import relative_difference

JSON_SCORERS = frozenset({"json_schema", "json_valid"})
NO_CATEGORY = "no category"
SCORE_IT = "Score the run on its page, or by manage.py score_run; it costs no call."
LOST = "More cases are lost than chance explains (exact McNemar test, corrected by Holm)."


@dataclass(frozen=True, slots=True)
class Piece:
    """What one gate is judged by, and the pairs of runs that it comes from."""

    evidence: tuple[Evidence, ...]
    pairs: tuple[RunPair, ...] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that runs say, gate by gate.

    Attributes
    ----------
    pairs : sequence of RunPair
        One of each suite that has one.
    notes : sequence of str
        What a reader has to know of the runs: what was left out, who answered.
    """

    pieces: dict[str, Piece] = field(default_factory=dict)
    pairs: Sequence[RunPair] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """Everything read from the database for one study."""

    study: Study
    confidence: float
    suites: Sequence[SuiteRun]
    pairs: Sequence[RunPair]
    cells: Sequence[Sequence[PairedCell]]
    answers: dict[int, list[Answered]]

    def pairs_with(self, wanted: Callable[[PairedCell], bool]) -> list[tuple[RunPair, PairedCell]]:
        """The pairs that have such cases, each with these cells summed."""
        found = []
        for pair, cells in zip(self.pairs, self.cells, strict=True):
            chosen = [cell for cell in cells if wanted(cell)]
            if chosen:
                found.append((pair, summed(chosen)))
        return found

    def waiting(self, pairs: Iterable[RunPair]) -> str:
        """Why nothing can be said of these pairs yet: answers that nobody has scored."""
        for run in runs_of(pairs):
            if waiting := sum(part.waiting for part in self.answers.get(run.pk, ())):
                answers = wording.counted(waiting, "answers")
                return f"{answers} of run {run.number} ({run.suite.name}) not scored yet"
        return ""


def gather(study: Study, policy: PolicyInForce) -> Gathered:
    """Read the runs of a study, and say what they have for each gate of its policy."""
    confidence = policy.confidence
    suites = suites_run(study)
    pairs = [suite.pair for suite in suites if suite.pair is not None]
    found = _Found(study, confidence, suites, pairs, own_counts(pairs), answered(runs_of(pairs)))
    pieces = {
        TARGET: _target(found, policy.gate(TARGET)),
        # Below its threshold a category raises an alarm.
        "general_regression": _general(found, policy.gate("general_regression").threshold),
        "exact_match": _exact(found),
        "latency_p99": _latency(found),
        "adversarial": _adversarial(found),
        "schema_compliance": _schema(found),
    }
    return Gathered(pieces, pairs, notes_on(suites))


def _unmeasured(found: _Found, key: str, reason: str) -> Piece:
    """Why a gate has no estimate, and what would give it one."""
    if not found.pairs:
        needs = needs_run(found.study, key)
        return Piece((Evidence(key, Undefined(no_pair(found.suites)), needs=needs),))
    return Piece((Evidence(key, Undefined(reason), needs=needs_cases(found.study, key)),))


def _not_scored(key: str, why: str, pairs: Iterable[RunPair]) -> Piece:
    return Piece((Evidence(key, Undefined(why), needs=SCORE_IT, begun=True),), tuple(pairs))


def _target(found: _Found, gate: Gate) -> Piece:
    key = gate.key
    parts = found.pairs_with(lambda cell: cell.split == "target")
    pairs = tuple(pair for pair, cell in parts if cell.n)
    if why := found.waiting(pair for pair, _ in parts):
        return _not_scored(key, why, pairs)
    if not pairs:
        return _unmeasured(found, key, "no suite that was run has target cases with a right answer")
    total = summed(cell for _, cell in parts)
    measure = relative_difference if gate.unit == "relative" else newcombe_paired_difference
    estimate = attempt(measure, total.table, found.confidence)
    return Piece((Evidence(key, estimate, note=_left_aside(total)),), pairs)


def _general(found: _Found, loss: float) -> Piece:
    key = "general_regression"
    pairs = [pair for pair, _ in found.pairs_with(lambda cell: cell.split == "general")]
    if why := found.waiting(pairs):
        return _not_scored(key, why, pairs)
    parts = [
        (pair, cell)
        for pair, cells in zip(found.pairs, found.cells, strict=True)
        for cell in cells
        if cell.split == "general" and cell.n
    ]
    if not parts:
        return _unmeasured(
            found, key, "no suite that was run has general cases with a right answer"
        )
    pairs = list({pair.baseline.pk: pair for pair, _ in parts}.values())
    tables = [cell.table for _, cell in parts]
    estimates = differences_with_alarm(tables, loss, found.confidence)
    margin = min(max(-loss, 0.0), 1.0)
    lost = [one.status == "regressed" for one in regressions(tables, margin, found.confidence)]
    evidence = tuple(
        Evidence(
            key,
            estimate,
            part=_part(pair, cell, len(pairs) > 1),
            note=" ".join(note for note in (LOST if is_lost else "", _left_aside(cell)) if note),
        )
        for (pair, cell), estimate, is_lost in zip(parts, estimates, lost, strict=True)
    )
    return Piece(evidence, tuple(pairs))


def _part(pair: RunPair, cell: PairedCell, several: bool) -> str:
    name = cell.category or NO_CATEGORY
    return f"{name} ({pair.suite.name})" if several else name


def _left_aside(cell: PairedCell) -> str:
    if not cell.unscored:
        return ""
    return f"{wording.counted(cell.unscored, 'cases')} without a mark left aside."


def _exact(found: _Found) -> Piece:
    key = "exact_match"
    piece = _share(found, key, lambda part: part.scorer == "exact_match", "exact match")
    if piece is not None:
        return piece
    counts = queries.reference_counts(found.study)
    if not counts.references:
        reason = "no suite that was run is scored by exact match, and no item has a reference"
        return _unmeasured(found, key, reason)
    method = f"outputs of batches {RULE}; Clopper-Pearson interval"
    estimate = clopper_pearson_interval(counts.matched, counts.references, found.confidence)
    return Piece((Evidence(key, replace(estimate, method=method), "outputs", note=_BATCHES),))


_BATCHES = "Measured on the uploaded batches: no suite that was run is scored like this."


def _schema(found: _Found) -> Piece:
    key = "schema_compliance"
    piece = _share(found, key, lambda part: part.scorer in JSON_SCORERS, "JSON and its schema")
    if piece is not None:
        return piece
    counts = queries.reference_counts(found.study)
    if not counts.structured:
        reason = "no suite that was run asks for JSON, and no item has JSON as its reference"
        return _unmeasured(found, key, reason)
    method = (
        "outputs of batches that are valid JSON, where the reference is a JSON object or array; "
        "Clopper-Pearson interval"
    )
    estimate = clopper_pearson_interval(counts.valid, counts.structured, found.confidence)
    return Piece((Evidence(key, replace(estimate, method=method), "outputs", note=_BATCHES),))


def _adversarial(found: _Found) -> Piece:
    key = "adversarial"
    piece = _share(found, key, lambda part: is_adversarial(part.category), "the case's scorer")
    reason = "no suite that was run has adversarial cases with a right answer"
    return piece or _unmeasured(found, key, reason)


def _share(found: _Found, key: str, wanted: Callable[[Answered], bool], by: str) -> Piece | None:
    """The candidate's share passed of the cases that are wanted; None if there are none."""
    chosen: list[Answered] = []
    pairs: list[RunPair] = []
    for pair in found.pairs:
        parts = [part for part in found.answers.get(pair.candidate.pk, ()) if wanted(part)]
        if any(part.waiting for part in parts):
            return _not_scored(key, found.waiting([pair]), [pair])
        if any(part.passed + part.failed for part in parts):
            pairs.append(pair)
            chosen += parts
    if not pairs:
        return None
    passed, failed = (sum(getattr(part, name) for part in chosen) for name in ("passed", "failed"))
    estimate = clopper_pearson_interval(passed, passed + failed, found.confidence)
    method = f"candidate's cases passed, marked by {by}; Clopper-Pearson interval"
    evidence = Evidence(key, replace(estimate, method=method), note=_counted_as_failed(chosen))
    return Piece((evidence,), tuple(pairs))


def _counted_as_failed(parts: Sequence[Answered]) -> str:
    """ "2 errors and 1 cut-off answer count as failed." """
    errors, cut_off, unmarked = (
        sum(getattr(part, name) for part in parts) for name in ("errors", "cut_off", "unmarked")
    )
    counted = [wording.counted(errors, "errors")] if errors else []
    counted += [wording.counted(cut_off, "cut-off answers")] if cut_off else []
    said = [f"{' and '.join(counted)} counted as failed."] if counted else []
    said += [f"{wording.counted(unmarked, 'cases')} without a mark left aside."] if unmarked else []
    return " ".join(said)


def _latency(found: _Found) -> Piece:
    """The ratio over first tries of all pairs whose latencies somebody measured."""
    key = "latency_p99"
    tries = first_tries(runs_of(found.pairs))
    pairs = [pair for pair in found.pairs if all(run.pk in tries for run in pair.runs)]
    if not pairs:
        return _unmeasured(found, key, "no latency was measured on both sides of a suite")
    sides = [pooled(tries, [getattr(pair, side) for pair in pairs])
             for side in ("candidate", "baseline")]  # fmt: skip
    least = least_for_ratio(0.99, found.confidence)
    n = min(side.size for side in sides)
    estimate: Estimate | Undefined = attempt(
        quantile_ratio,
        sides[0],
        sides[1],
        confidence=found.confidence,
        seed=LATENCY_SEED,
        least=least,
    )
    apart = [pair.suite.name for pair in pairs if not pair.is_interleaved]
    note = f"Not asked in turns: {', '.join(apart)}; load may differ between them." if apart else ""
    return Piece(
        (
            Evidence(
                key,
                estimate,
                "requests",
                note=note,
                needs=fewer_requests(least - n),
                begun=isinstance(estimate, Undefined),
            ),
        ),
        tuple(pairs),
    )
