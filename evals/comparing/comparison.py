"""Two runs of a suite against each other: everything that is shown, exported and weighed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from evals.comparing.groups import (
    Group,
    ScorerGroups,
    adversarial_group,
    group_of,
    split_groups,
)
from evals.comparing.output_lengths import Lengths
from evals.comparing.speed import Speed, TokenRow, facts_json, speed, token_rows
from evals.models import Run
from evals.queries.output_lengths import LengthCells, length_cells
from evals.queries.reading import snapshot
from evals.queries.run_facts import RunFacts, run_facts, scorer_cells, unscored_reasons
from evals.queries.runs import PairedCell, RunPair, own_counts
from evals.stats.regression import Regression, Status, regressions

MARGIN = 0.05
WORST_FIRST: tuple[Status, ...] = ("regressed", "not enough cases", "no regression shown")


@dataclass(frozen=True, slots=True)
class CategoryRegression:
    """A category of the general split and whether the candidate lost in it."""

    group: Group
    found: Regression

    @property
    def status(self) -> Status:
        return self.found.status

    @property
    def name(self) -> str:
        return self.group.category

    @property
    def more(self) -> int | None:
        """Cases that are still lacking for an answer; None where that cannot be foretold."""
        return None if self.found.needed is None else max(1, self.found.needed - self.group.n)

    def as_json(self) -> dict[str, Any]:
        return {
            "category": self.name,
            "status": self.status,
            "n": self.group.n,
            "difference": self.group.difference.as_json(),
            "p": self.found.p,
            "p_adjusted": self.found.adjusted,
            "more_cases": self.more if self.status == "not enough cases" else None,
        }


@dataclass(frozen=True)
class Comparison:
    """What the candidate does better and worse than the baseline on the same cases.

    `regression` is empty where the suite has no general cases.
    """

    pair: RunPair
    confidence: float
    margin: float
    cells: Sequence[PairedCell]
    scorers: Sequence[ScorerGroups]
    facts: tuple[RunFacts, RunFacts]
    unscored_reasons: Sequence[tuple[str, int]] = ()
    length_cells: LengthCells = field(default_factory=LengthCells)

    @cached_property
    def overall(self) -> Group:
        return group_of(self.cells, self.confidence)

    @cached_property
    def splits(self) -> list[Group]:
        return split_groups(self.cells, self.confidence)

    @cached_property
    def categories(self) -> list[Group]:
        """One group for each category of each split, target first."""
        return [Group(cell, self.confidence) for cell in self.cells]

    @cached_property
    def adversarial(self) -> Group | None:
        return adversarial_group(self.cells, self.confidence)

    def split(self, name: str) -> Group | None:
        return next((group for group in self.splits if group.split == name), None)

    @cached_property
    def regression(self) -> list[CategoryRegression]:
        """Categories of the general split, the worst first."""
        general = [group for group in self.categories if group.split == "general"]
        found = regressions([group.cell.table for group in general], self.margin, self.confidence)
        rows = [CategoryRegression(*row) for row in zip(general, found, strict=True)]
        return sorted(rows, key=lambda row: WORST_FIRST.index(row.status))

    @property
    def regressed(self) -> list[CategoryRegression]:
        return [row for row in self.regression if row.status == "regressed"]

    @cached_property
    def speed(self) -> Speed:
        return speed(*self.facts, self.confidence, is_interleaved=self.pair.is_interleaved)

    @cached_property
    def tokens(self) -> tuple[TokenRow, ...]:
        return token_rows(*self.facts, self.confidence)

    @cached_property
    def lengths(self) -> Lengths:
        return Lengths(self.length_cells, self.confidence)

    def as_json(self) -> dict[str, Any]:
        pair = self.pair
        return {
            "study": pair.baseline.study.slug,
            "suite": {
                "name": pair.suite.name,
                "version": pair.suite.version,
                "newest_version": pair.newest_version or pair.suite.version,
                "title": pair.suite.title,
                "digest": pair.suite.digest,
                "cases": pair.suite.case_count,
            },
            "runs": {
                "baseline": _run_json(pair.baseline, self.facts[0]),
                "candidate": _run_json(pair.candidate, self.facts[1]),
                "started_together": pair.is_together,
                "newer": [
                    {"run": run.number, "system": run.system, "state": run.state}
                    for run in pair.newer
                ],
            },
            "confidence": self.confidence,
            "overall": self.overall.as_json(),
            "splits": [group.as_json() for group in self.splits],
            "categories": [group.as_json() for group in self.categories],
            "adversarial": self.adversarial.as_json() if self.adversarial else None,
            "regression": {
                "margin": self.margin,
                "categories": [row.as_json() for row in self.regression],
            },
            "unscored": dict(self.unscored_reasons),
            "scorers": [scorer.as_json() for scorer in self.scorers],
            "latency": self.speed.as_json(),
            "tokens": {row.name: row.as_json() for row in self.tokens},
            "length": self.lengths.as_json(),
        }


def _run_json(run: Run, facts: RunFacts) -> dict[str, Any]:
    return {
        "run": run.number,
        "model": run.model,
        "source": run.source,
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        **facts_json(facts),
    }


def compare(pair: RunPair, confidence: float = 0.95, margin: float = MARGIN) -> Comparison:
    """Hold the candidate's run against the baseline's, case by case.

    Parameters
    ----------
    pair : RunPair
        Finished runs of one suite version: `latest_pair` or `chosen_pair`.
    confidence : float
        Of every interval; alarms of regressions err in 1 - confidence of comparisons at most.
    margin : float
        Largest loss in a general category that is tolerated, as a share.
    """
    with snapshot():
        return Comparison(
            pair,
            confidence,
            margin,
            own_counts([pair])[0],
            [ScorerGroups(cells, confidence) for cells in scorer_cells(pair)],
            run_facts(pair),
            unscored_reasons(pair),
            length_cells(pair),
        )


def compare_passing(
    pairs: Sequence[RunPair], confidence: float = 0.95, margin: float = MARGIN
) -> list[Comparison]:
    """Several pairs by passing alone, counted in one go: no scorers, no latency, no lengths."""
    nothing = RunFacts(), RunFacts()
    return [
        Comparison(pair, confidence, margin, cells, (), nothing)
        for pair, cells in zip(pairs, own_counts(pairs), strict=True)
    ]


def compare_speed(pair: RunPair, confidence: float = 0.95) -> Comparison:
    """One pair by what its answers took alone: no passing, no scorers, no lengths."""
    with snapshot():
        return Comparison(pair, confidence, MARGIN, (), (), run_facts(pair))
