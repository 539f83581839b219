"""Gates: a threshold agreed before, the evidence that came in, and what the rule says.

A gate judges the whole interval, never the point inside it. Numbers are in the unit of
the evidence: shares and points as fractions of 1 (60 % is 0.6, 5 points are 0.05),
ratios as they are, relative changes as parts of the baseline (5 % more is 0.05). A loss is a
negative difference, so "at most 5 points lost" is a difference of at least -0.05: threshold
and estimate then lie on one scale.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from evals.stats import wording
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate, Undefined
from evals.stats.planning import collected_for, more_needed
from evals.stats.proportions import zero_failure_bound

Direction = Literal["at least", "at most"]
Unit = Literal["share", "points", "relative", "ratio"]
Status = Literal["met", "not met", "not enough evidence", "not measured"]
Verdict = Literal["GO", "NO-GO", "NOT YET"]

# The gate whose improvement may be asked for in points, or relative to the baseline.
TARGET = "target_improvement"
# Of a gate with many parts, how many say what they lack.
PARTS_SAID = 3
# The worst first: a gate of several parts says what its worst part says.
WORST_FIRST: tuple[Status, ...] = ("not met", "not enough evidence", "not measured", "met")


@dataclass(frozen=True)
class Gate:
    """One criterion of a policy.

    Attributes
    ----------
    key, title : str
    threshold : float
        In the unit of the evidence.
    direction : {"at least", "at most"}
    unit : {"share", "points", "relative", "ratio"}
    required : bool
        Whether GO depends on it.
    rule : str
        What it asks for, in words, with {threshold} where the number goes, or {loss}
        where a negative threshold is to be read as a loss.
    """

    key: str
    title: str
    threshold: float
    direction: Direction
    unit: Unit
    required: bool = True
    rule: str = ""

    @property
    def wants_no_failure(self) -> bool:
        """100 % cannot be shown by any interval; it means that no failure was seen."""
        return self.unit == "share" and self.direction == "at least" and self.threshold >= 1

    @property
    def bar(self) -> str:
        """The threshold as people read it."""
        if self.unit == "share":
            return wording.percent(self.threshold, _digits(100 * self.threshold))
        if self.unit == "points":
            return wording.points(self.threshold, _digits(100 * self.threshold))
        if self.unit == "relative":
            return wording.relative(self.threshold, _digits(100 * self.threshold))
        return wording.ratio(self.threshold, _digits(self.threshold))

    @property
    def asks(self) -> str:
        """What the gate asks for, in words: "At least 60 % prefer the candidate"."""
        if not self.rule:
            return f"{self.direction} {self.bar}"
        lost = wording.points(-self.threshold, _digits(100 * self.threshold)).removeprefix("+")
        # Rules are typed by people: other braces in them are theirs.
        asks = self.rule.replace("{threshold}", self.bar).replace("{loss}", lost)
        return f"{asks}, relative to what it passes" if self.unit == "relative" else asks

    @property
    def may_be_relative(self) -> bool:
        """Whether its improvement may be asked for in points or as a part of the baseline."""
        return self.key == TARGET


@dataclass(frozen=True)
class Evidence:
    """One estimate for one gate.

    Attributes
    ----------
    gate_key : str
    estimate : Estimate or Undefined
    word : str
        What `n` counts, in the plural ("judgements", "cases", "requests").
    part : str
        Of a gate that is judged in several parts, which ("Multi-turn").
    note : str
        What a reader has to know of it: "2 errors count as failed".
    needs : str
        Where there is no estimate: what would measure it.
    begun : bool
        Where there is no estimate: some evidence has come in, though not enough for a number.
    collected, lost : str, float
        Where less counts than is collected (ties that are left out): what is collected, in the
        plural, and the share of it that counts for nothing, as far as can be told.
    """

    gate_key: str
    estimate: Estimate | Undefined
    word: str = "cases"
    part: str = ""
    note: str = ""
    needs: str = ""
    begun: bool = False
    collected: str = ""
    lost: float | None = None


@dataclass(frozen=True)
class GateResult:
    """What a gate says.

    Attributes
    ----------
    status : {"met", "not met", "not enough evidence", "not measured"}
    estimate : Estimate, Undefined or None
        Of the worst part, where there are several.
    sentence : str
        The evidence against the threshold.
    missing : str
        What it would take to answer; empty where the gate has answered.
    note : str
        What else to know of the evidence.
    """

    gate: Gate
    status: Status
    estimate: Estimate | Undefined | None
    sentence: str
    missing: str = ""
    note: str = ""


DEFAULT_GATES: tuple[Gate, ...] = (
    Gate(
        TARGET, "Target task improvement", 0.05, "at least", "points",
        rule="At least {threshold} over the baseline",
    ),
    Gate(
        "general_regression", "General regression", -0.05, "at least", "points",
        rule="At most {loss} lost in any general category",
    ),
    Gate(
        "exact_match", "Exact match", 0.85, "at least", "share",
        rule="At least {threshold} on the evaluation suite",
    ),
    Gate(
        "latency_p99", "Latency, 99th percentile", 2.0, "at most", "ratio",
        rule="At most {threshold} the baseline",
    ),
    Gate(
        "human_preference", "Human preference", 0.60, "at least", "share",
        rule="At least {threshold} prefer the candidate",
    ),
    Gate(
        "adversarial", "Adversarial robustness", 0.90, "at least", "share",
        rule="At least {threshold} pass on adversarial cases",
    ),
    Gate(
        "schema_compliance", "Schema compliance", 1.0, "at least", "share",
        rule="{threshold} valid JSON on structured output",
    ),
)  # fmt: skip


def judge_gate(gate: Gate, evidence: Evidence | Sequence[Evidence] | None) -> GateResult:
    """Hold the evidence against the threshold.

    Parameters
    ----------
    gate : Gate
    evidence : Evidence, several of them, or None
        Several are parts that must each be met; the worst speaks for the gate. Evidence
        of other gates is left aside.

    Returns
    -------
    GateResult
        Met only if the whole interval clears the threshold, not met if the whole
        interval misses it, else not enough evidence; not measured without an estimate.
    """
    given = [evidence] if isinstance(evidence, Evidence) else list(evidence or ())
    results = [_judge_part(gate, part) for part in given if part.gate_key == gate.key]
    if not results:
        return GateResult(
            gate, "not measured", None, "Not measured yet.", "There is no evidence yet."
        )
    worst = min(results, key=lambda result: _rank(gate, result))
    missing = _all_missing(gate, results)
    status = worst.status
    # One part measured and another not is not the same as nothing measured.
    if status == "not measured" and any(r.status != "not measured" for r in results):
        status = "not enough evidence"
    return replace(worst, status=status, missing="" if status == "not met" else missing)


def _all_missing(gate: Gate, results: Sequence[GateResult]) -> str:
    """What the parts lack, the worst first; of many parts the rest is counted."""
    lacking = [r for r in sorted(results, key=lambda r: _rank(gate, r)) if r.missing]
    said = [result.missing for result in lacking[:PARTS_SAID]]
    if len(lacking) > PARTS_SAID:
        said.append(f"And {wording.counted(len(lacking) - PARTS_SAID, 'further parts')}.")
    return " ".join(dict.fromkeys(said))


def verdict(results: Iterable[GateResult]) -> Verdict:
    """GO if every required gate is met, NO-GO if one is not met, else NOT YET.

    Without a required gate there is nothing that could say GO.
    """
    required = [result for result in results if result.gate.required]
    if any(result.status == "not met" for result in required):
        return "NO-GO"
    if required and all(result.status == "met" for result in required):
        return "GO"
    return "NOT YET"


def still_missing(results: Iterable[GateResult]) -> tuple[str, ...]:
    """For each required gate that has not answered: its title and what it would take."""
    return tuple(
        f"{result.gate.title}: {result.missing}"
        for result in results
        if result.gate.required and result.status in ("not enough evidence", "not measured")
    )


def _rank(gate: Gate, result: GateResult) -> tuple[int, float]:
    """Worst first; among equals the one whose interval reaches furthest to the wrong side."""
    end = 0.0
    if isinstance(result.estimate, Estimate):
        est = result.estimate
        end = est.value if gate.direction == "at least" else -est.value
        limit = est.low if gate.direction == "at least" else est.high
        if limit is not None:
            end = limit if gate.direction == "at least" else -limit
    return WORST_FIRST.index(result.status), end


def _judge_part(gate: Gate, evidence: Evidence) -> GateResult:
    estimate = evidence.estimate
    where = f"{evidence.part}: " if evidence.part else ""
    if isinstance(estimate, Undefined):
        return _judge_unmeasured(gate, evidence, estimate, where)
    if gate.wants_no_failure:
        return _judge_without_failure(gate, evidence, estimate, where)
    status = _status(gate, estimate)
    sentence = f"{where}{wording.estimate(estimate, gate.unit, evidence.word)}: " + _reading(
        gate, status, estimate
    )
    missing = _missing(gate, evidence, estimate) if status == "not enough evidence" else ""
    missing = where + missing if missing else ""
    return GateResult(gate, status, estimate, sentence, missing, evidence.note)


def _judge_unmeasured(
    gate: Gate, evidence: Evidence, estimate: Undefined, where: str
) -> GateResult:
    status: Status = "not enough evidence" if evidence.begun else "not measured"
    missing = evidence.needs or wording.sentence(where + estimate.reason)
    sentence = where + wording.sentence(f"{status}: {estimate.reason}")
    return GateResult(gate, status, estimate, sentence, missing, evidence.note)


def _status(gate: Gate, estimate: Estimate) -> Status:
    low, high, bar = estimate.low, estimate.high, gate.threshold
    if low is None or high is None:
        return "not enough evidence"
    clears = low >= bar if gate.direction == "at least" else high <= bar
    misses = high < bar if gate.direction == "at least" else low > bar
    if clears:
        return "met"
    return "not met" if misses else "not enough evidence"


def _reading(gate: Gate, status: Status, estimate: Estimate) -> str:
    if status == "met":
        return f"the whole interval is {gate.direction} {gate.bar}."
    if status == "not met":
        side = "below" if gate.direction == "at least" else "above"
        return f"the whole interval is {side} {gate.bar}."
    if estimate.low is None:
        return f"without an interval it cannot be held against {gate.bar}."
    return f"the interval holds {gate.bar}, so it cannot be told yet."


def _missing(gate: Gate, evidence: Evidence, estimate: Estimate) -> str:
    needed = more_needed(estimate, gate.threshold, gate.direction, gate.unit)
    if needed.more is None:
        return wording.sentence(f"more {evidence.word} are needed; how many cannot be foretold: "
                                f"{needed.reason}")  # fmt: skip
    more = wording.about(max(1, needed.more))
    one = f"{more} more {evidence.word if needed.more > 1 else evidence.word.removesuffix('s')}"
    return wording.sentence(f"{one} would settle it{_in_all(evidence, needed.more)}")


def _in_all(evidence: Evidence, more: int) -> str:
    """What has to be collected for so much more that counts."""
    if not evidence.collected:
        return ""
    if evidence.lost is None:
        return f"; of all {evidence.collected} it takes more, how many cannot be told yet"
    if not evidence.lost:
        return ""
    in_all = wording.about(collected_for(more, evidence.lost))
    return f": {in_all} {evidence.collected}, if as many of them count as so far"


def _judge_without_failure(
    gate: Gate, evidence: Evidence, estimate: Estimate, where: str
) -> GateResult:
    failed = round(estimate.n * (1 - estimate.value))
    # A share below 1 is a failure, even where rounding would hide it.
    if estimate.value < 1:
        failed = max(1, failed)
    passed = f"{where}{wording.count(estimate.n - failed)} of {wording.count(estimate.n)}"
    if failed:
        sentence = f"{passed}; {wording.count(failed)} failed, and {gate.bar} is asked for."
        return GateResult(gate, "not met", estimate, sentence, note=evidence.note)
    try:
        bound = 1 - zero_failure_bound(estimate.n, estimate.confidence)
    except UndefinedError as error:
        reason = wording.sentence(where + error.reason)
        return GateResult(gate, "not measured", estimate, reason, reason, evidence.note)
    least = wording.percent_at_least(bound)
    level = wording.percent(estimate.confidence, _digits(100 * estimate.confidence))
    sentence = f"{passed}; at least {least} at {level}."
    return GateResult(gate, "met", estimate, sentence, note=evidence.note)


def _digits(value: float) -> int:
    """Decimals that a threshold needs: 60 has none, 97.5 one, 99.95 two."""
    return next((digits for digits in range(3) if abs(value - round(value, digits)) < 1e-9), 3)
