"""How long the answers of runs are, in characters. No text leaves the database.

An answer is its text, or the refusal that stands in its place. One that failed has no length, nor
has one that calls tools without a word; an empty text has 0 characters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from evals.models import Run
from evals.queries.reading import rows_of
from evals.queries.run_facts import pair_ids
from evals.queries.runs import RunPair

# Materialized: each text is fetched and counted once, not once for each number below.
PAIRED = """
WITH answered AS MATERIALIZED (
    SELECT k.split, k.category, bg.error <> '' AS b_failed, cg.error <> '' AS c_failed,
           CASE WHEN bg.error = '' THEN char_length(coalesce(bg.text, bg.refusal)) END AS b,
           CASE WHEN cg.error = '' THEN char_length(coalesce(cg.text, cg.refusal)) END AS c
    FROM evals_generation bg
    JOIN evals_generation cg ON cg.run_id = %(candidate)s AND cg.case_id = bg.case_id
    JOIN evals_case k ON k.id = bg.case_id
    WHERE bg.run_id = %(baseline)s
)
SELECT GROUPING(split, category), coalesce(split, ''), coalesce(category, ''),
       count(*), count(c - b),
       (avg(b) FILTER (WHERE c IS NOT NULL))::float,
       (stddev_samp(b) FILTER (WHERE c IS NOT NULL))::float,
       (avg(c) FILTER (WHERE b IS NOT NULL))::float,
       (stddev_samp(c) FILTER (WHERE b IS NOT NULL))::float,
       covar_samp(c, b), avg(c - b)::float, stddev_samp(c - b)::float,
       count(b), count(*) FILTER (WHERE b_failed), count(*) FILTER (WHERE b = 0),
       count(c), count(*) FILTER (WHERE c_failed), count(*) FILTER (WHERE c = 0)
FROM answered GROUP BY GROUPING SETS ((), (split), (split, category))
ORDER BY 1 DESC, 2 DESC, 3
"""

OF_RUN = """
WITH answered AS MATERIALIZED (
    SELECT error <> '' AS failed,
           CASE WHEN error = '' THEN char_length(coalesce(text, refusal)) END AS long
    FROM evals_generation WHERE run_id = %(run)s AND state = 'done'
)
SELECT avg(long)::float, stddev_samp(long)::float, count(*),
       count(long), count(*) FILTER (WHERE failed), count(*) FILTER (WHERE long = 0)
FROM answered
"""
# What `GROUPING` says of a row.
ALL, SPLIT, CATEGORY = 3, 1, 0


@dataclass(frozen=True, slots=True)
class Answers:
    """What became of one system's answers.

    Attributes
    ----------
    cases, outputs, failed, empty : int
        `outputs` have a text; `empty` ones, which are among them, one of no characters.
    """

    cases: int = 0
    outputs: int = 0
    failed: int = 0
    empty: int = 0

    @property
    def without_text(self) -> int:
        """Answers that did not fail and have no text: calls of tools alone."""
        return self.cases - self.outputs - self.failed


@dataclass(frozen=True, slots=True)
class LengthCell:
    """Lengths of the answers to some cases, over the `pairs` where both systems have a text."""

    split: str = ""
    category: str = ""
    cases: int = 0
    pairs: int = 0
    baseline: float | None = None
    baseline_deviation: float | None = None
    candidate: float | None = None
    candidate_deviation: float | None = None
    covariance: float | None = None
    difference: float | None = None
    deviation: float | None = None


@dataclass(frozen=True, slots=True)
class LengthCells:
    """The same for all cases, each split, each category of each split; target first."""

    overall: LengthCell = field(default_factory=LengthCell)
    splits: Sequence[LengthCell] = ()
    categories: Sequence[LengthCell] = ()
    baseline: Answers = field(default_factory=Answers)
    candidate: Answers = field(default_factory=Answers)


@dataclass(frozen=True, slots=True)
class RunLengths:
    """All answers of one run by themselves."""

    mean: float | None
    deviation: float | None
    answers: Answers


def length_cells(pair: RunPair) -> LengthCells:
    """How long both systems' answers are, case by case."""
    rows = rows_of(PAIRED, pair_ids(pair))
    cells: dict[int, list[LengthCell]] = {ALL: [], SPLIT: [], CATEGORY: []}
    for row in rows:
        cells[row[0]].append(LengthCell(*row[1:12]))
    # The row of all cases comes first, and there without any case as well.
    cases, counts = rows[0][3], rows[0][12:]
    return LengthCells(
        cells[ALL][0], cells[SPLIT], cells[CATEGORY],
        Answers(cases, *counts[:3]), Answers(cases, *counts[3:]),
    )  # fmt: skip


def run_lengths(run: Run) -> RunLengths:
    """How long the answers of a run are that are there."""
    ((mean, deviation, *counts),) = rows_of(OF_RUN, {"run": run.pk})
    return RunLengths(mean, deviation, Answers(*counts))
