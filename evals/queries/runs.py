"""Which runs are compared, and how often both systems, one or none passed.

A case counts once, as a pair: what the baseline's answer scored and what the candidate's did.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max

from annotate.models import Study
from evals.models import Case, Run, ScorerVersion, Suite
from evals.queries.reading import rows_of

SYSTEMS = (Run.System.BASELINE, Run.System.CANDIDATE)

# An error is a failure wherever the case can be passed: it stays in the denominator even where
# its scorer, which never saw an answer, had nothing to say. A score without a mark to pass
# (value, but neither passed nor failed) leaves the case unscored. Scores of two different
# scorers, or of two versions of one, say nothing of each other.
OWN_CELLS = """
WITH pairs AS (
    SELECT wanted.place, k.split, k.category,
           bs.scorer_id <> cs.scorer_id AS unlike,
           coalesce(bs.passed, CASE WHEN bg.error <> '' AND bs.value IS NULL
               AND (bs.id IS NOT NULL OR cs.passed IS NOT NULL) THEN false END) AS b,
           coalesce(cs.passed, CASE WHEN cg.error <> '' AND cs.value IS NULL
               AND (cs.id IS NOT NULL OR bs.passed IS NOT NULL) THEN false END) AS c
    FROM unnest(%(baselines)s::bigint[], %(candidates)s::bigint[])
         WITH ORDINALITY AS wanted (baseline, candidate, place)
    JOIN evals_generation bg ON bg.run_id = wanted.baseline
    JOIN evals_generation cg ON cg.run_id = wanted.candidate AND cg.case_id = bg.case_id
    JOIN evals_case k ON k.id = bg.case_id
    LEFT JOIN evals_score bs ON bs.generation_id = bg.id AND bs.own
    LEFT JOIN evals_score cs ON cs.generation_id = cg.id AND cs.own
)
SELECT place, split, category,
       count(*) FILTER (WHERE b AND c AND unlike IS NOT TRUE),
       count(*) FILTER (WHERE NOT b AND c AND unlike IS NOT TRUE),
       count(*) FILTER (WHERE b AND NOT c AND unlike IS NOT TRUE),
       count(*) FILTER (WHERE NOT b AND NOT c AND unlike IS NOT TRUE),
       count(*) FILTER (WHERE b IS NULL OR c IS NULL OR unlike),
       count(*) FILTER (WHERE unlike)
FROM pairs GROUP BY place, split, category ORDER BY place, split DESC, category
"""

SCORER_CELLS = """
WITH matched AS (
    SELECT g.case_id, count(DISTINCT g.run_id) AS sides,
           bool_and(s.passed) FILTER (WHERE g.run_id = %(baseline)s) AS b,
           bool_and(s.passed) FILTER (WHERE g.run_id = %(candidate)s) AS c
    FROM evals_generation g JOIN evals_score s ON s.generation_id = g.id
    WHERE g.run_id IN (%(baseline)s, %(candidate)s) AND s.scorer_id = %(scorer)s
    GROUP BY g.case_id
)
SELECT k.split, k.category,
       count(*) FILTER (WHERE b AND c), count(*) FILTER (WHERE NOT b AND c),
       count(*) FILTER (WHERE b AND NOT c), count(*) FILTER (WHERE NOT b AND NOT c),
       count(*) FILTER (WHERE b IS NULL OR c IS NULL), 0
FROM matched JOIN evals_case k ON k.id = matched.case_id
GROUP BY 1, 2 ORDER BY 1 DESC, 2
"""


@dataclass(frozen=True, slots=True)
class PairedCell:
    """Cases of one split and category by what both systems made of them.

    Attributes
    ----------
    both, won, lost, neither : int
        Passed by both, by the candidate alone, by the baseline alone, by none.
    unscored : int
        Cases of which at least one answer has neither passed nor failed.
    unlike : int
        Of the unscored: scored by two different scorers or versions of one.
    """

    split: str
    category: str
    both: int = 0
    won: int = 0
    lost: int = 0
    neither: int = 0
    unscored: int = 0
    unlike: int = 0

    @property
    def n(self) -> int:
        """Cases that both passed or failed."""
        return self.both + self.won + self.lost + self.neither

    @property
    def discordant(self) -> int:
        return self.won + self.lost

    @property
    def table(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Rows candidate, columns baseline, "passed" first: as `evals.stats.paired` wants it."""
        return (self.both, self.won), (self.lost, self.neither)

    def __add__(self, other: "PairedCell") -> "PairedCell":
        return PairedCell(
            self.split if self.split == other.split else "",
            self.category if self.category == other.category else "",
            self.both + other.both,
            self.won + other.won,
            self.lost + other.lost,
            self.neither + other.neither,
            self.unscored + other.unscored,
            self.unlike + other.unlike,
        )


def summed(cells: Iterable[PairedCell]) -> PairedCell:
    """All of them together; of none, an empty cell."""
    found = list(cells)
    return sum(found[1:], found[0]) if found else PairedCell("", "")


@dataclass(frozen=True, slots=True)
class RunPair:
    """Two finished runs of one suite version, one of each system.

    Attributes
    ----------
    newer : sequence of Run
        Runs of the same suite that began after either of them and are not used: unfinished,
        cancelled, of another version, or without a partner.
    newest_version : int
        Of the suite; larger than that of the runs where both have yet to answer it.
    """

    baseline: Run
    candidate: Run
    newer: Sequence[Run] = field(default=(), compare=False)
    newest_version: int = field(default=0, compare=False)

    @property
    def suite(self) -> Suite:
        return self.baseline.suite

    @property
    def runs(self) -> tuple[Run, Run]:
        return self.baseline, self.candidate

    @property
    def is_together(self) -> bool:
        """Whether both were started together, so that their cases were asked in turns."""
        return self.baseline.pair == self.candidate.pair

    @property
    def is_interleaved(self) -> bool:
        return self.is_together and all(run.source == Run.Source.CALLS for run in self.runs)


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """A suite that a study has runs of, and the pair of runs that speaks for it, if any."""

    name: str
    suite: Suite
    runs: Sequence[Run]
    pair: RunPair | None

    @property
    def lacks(self) -> list[str]:
        """Which system has yet to finish a run, where there is no pair."""
        done = {run.system for run in self.runs if run.state == Run.State.DONE}
        return [system.value for system in SYSTEMS if system not in done]


def paired_counts(
    baseline: Run, candidate: Run, scorer: ScorerVersion | None = None
) -> list[PairedCell]:
    """How often both, one or none passed, for each split and category of the suite.

    Parameters
    ----------
    scorer : ScorerVersion, optional
        Whose marks count; by default those of each case's own scorer. A case that it scored
        for neither system is left out.
    """
    if scorer is not None:
        return _cells(rows_of(SCORER_CELLS, _ids(baseline, candidate) | {"scorer": scorer.pk}))
    return own_counts([RunPair(baseline, candidate)])[0]


def own_counts(pairs: Sequence[RunPair]) -> list[list[PairedCell]]:
    """`paired_counts` of several pairs, counted in one go."""
    params = {
        "baselines": [pair.baseline.pk for pair in pairs],
        "candidates": [pair.candidate.pk for pair in pairs],
    }
    rows = rows_of(OWN_CELLS, params) if pairs else []
    return [_cells(row[1:] for row in rows if row[0] == place) for place in _places(pairs)]


def _places(pairs: Sequence[RunPair]) -> range:
    return range(1, len(pairs) + 1)


def _cells(rows: Iterable[Sequence[Any]]) -> list[PairedCell]:
    return [PairedCell(*row) for row in rows]


def _ids(baseline: Run, candidate: Run) -> dict[str, Any]:
    return {"baseline": baseline.pk, "candidate": candidate.pk}


def latest_pair(study: Study, suite_name: str, version: int | None = None) -> RunPair | None:
    """The runs that speak for a suite: the candidate's latest, and what it is held against.

    Of the newest version that both systems have answered whole (or of the one that is named):
    the candidate's latest finished run; with it the baseline's run that was started together
    with it, or else the baseline's latest. None where a system has none.
    """
    runs = [run for run in _runs(study) if run.suite.name == suite_name]
    newest = Suite.objects.filter(name=suite_name).aggregate(newest=Max("version"))["newest"]
    return _pair_of(runs, newest or 0, version)


def suites_run(study: Study) -> list[SuiteRun]:
    """Every suite that a system of the study has met, with the pair that speaks for it."""
    by_name: dict[str, list[Run]] = {}
    for run in _runs(study):
        by_name.setdefault(run.suite.name, []).append(run)
    versions = Suite.objects.filter(name__in=by_name).values_list("name").annotate(Max("version"))
    newest: dict[str, int] = dict(versions)
    found = []
    for name in sorted(by_name):
        pair = _pair_of(by_name[name], newest[name])
        suite = pair.suite if pair else by_name[name][0].suite
        found.append(SuiteRun(name, suite, by_name[name], pair))
    return found


def _runs(study: Study) -> list[Run]:
    """The runs of both systems, the latest first."""
    runs = Run.objects.filter(study=study, system__in=SYSTEMS)
    return list(runs.select_related("suite", "study").order_by("-number"))


def _pair_of(runs: Sequence[Run], newest: int, version: int | None = None) -> RunPair | None:
    done = [run for run in runs if run.state == Run.State.DONE]
    by_system = {system: [run for run in done if run.system == system.value] for system in SYSTEMS}
    candidates, baselines = by_system[Run.System.CANDIDATE], by_system[Run.System.BASELINE]
    shared = {run.suite.version for run in candidates} & {run.suite.version for run in baselines}
    if version is not None:
        shared &= {version}
    if not shared:
        return None
    wanted = max(shared)
    candidate = next(run for run in candidates if run.suite.version == wanted)
    partners = [run for run in baselines if run.suite.version == wanted]
    baseline = next((run for run in partners if run.pair == candidate.pair), partners[0])
    return RunPair(baseline, candidate, _newer(runs, baseline, candidate), newest)


def _newer(runs: Sequence[Run], baseline: Run, candidate: Run) -> list[Run]:
    used = {baseline.system: baseline, candidate.system: candidate}
    return [run for run in runs if run.number > used[run.system].number]


def chosen_pair(study: Study, suite: Suite, baseline: int, candidate: int) -> RunPair | None:
    """The runs of these numbers, if they are finished runs of this suite, one of each system."""
    runs = [run for run in _runs(study) if run.suite_id == suite.pk and run.state == "done"]
    sides = {run.number: run for run in runs}
    one, other = sides.get(baseline), sides.get(candidate)
    if one is None or other is None or (one.system, other.system) != SYSTEMS:
        return None
    return RunPair(one, other, newest_version=suite.version)


def runs_of_suite(study: Study, suite: Suite) -> list[Run]:
    """All runs of both systems on this version of a suite, the latest first."""
    return [run for run in _runs(study) if run.suite_id == suite.pk]


def categories_of(suite: Suite) -> list[str]:
    """The categories of a suite, by name."""
    found = Case.objects.filter(suite=suite).order_by("category").distinct()
    return list(found.values_list("category", flat=True))
