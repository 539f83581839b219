"""Scores of stored outputs: at once when an answer comes in, or whatever a run still lacks."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from annotate.reports import storable
from config.postgresql.bulk import forget_plans, renew_statistics
from evals.formats import ScorerSpec
from evals.metrics import Expected, Result, Scored, Scorer, Unscored
from evals.metrics.texts import clipped
from evals.models import Case, Generation, Run, Score
from evals.scoring.apart import NoChildError
from evals.scoring.bounded import measure
from evals.scoring.reading import expected_of, output_of, scorer_named_by
from evals.scoring.versions import Unusable, Versions, ready

log = logging.getLogger(__name__)

# Outputs in memory at a time; each may be a megabyte.
CHUNK = 100
MANY = 2_000
REASON_CHARS = 500


@dataclass(frozen=True, slots=True)
class ScoreCounts:
    """What a scoring added: scores, and outputs that have none with the reason.

    `untried` outputs are as they were: their scorer could not be started. `without_scorer` counts
    cases that expect nothing, so that nothing says whether they are passed.
    """

    scored: int = 0
    passed: int = 0
    unscored: int = 0
    untried: int = 0
    without_scorer: int = 0

    def __add__(self, other: "ScoreCounts") -> "ScoreCounts":
        return ScoreCounts(
            self.scored + other.scored,
            self.passed + other.passed,
            self.unscored + other.unscored,
            self.untried + other.untried,
            self.without_scorer + other.without_scorer,
        )


def score_generation(generation: Generation) -> Result | None:
    """Store what the case's own scorer says of `generation`, once; None where it has no scorer.

    It never raises for what an output, a case or a scorer holds.
    """
    case = generation.case
    spec = _own_scorer(case)
    if spec is None:
        return None
    score = _score(generation, spec, Versions(), own=True)
    if score is None:
        return None
    Score.objects.bulk_create([score], ignore_conflicts=True)
    return _result(score)


def score_run(run: Run, extra: Sequence[ScorerSpec] = ()) -> ScoreCounts:
    """Store every score of `run` that is missing: of the cases' own scorers, then of `extra`.

    Outputs are read in pieces and no call is made; doing it again adds nothing.
    """
    forget_plans()
    versions, bare = Versions(), _bare(run)
    counts = _add(run, None, versions, Q(own=True))
    counts += ScoreCounts(without_scorer=bare.count())
    for spec in extra:
        counts += _add(run, spec, versions, Q(scorer=versions.of(ready(spec))))
    renew_statistics(counts.scored + counts.unscored, "evals_score")
    return counts


def _bare(run: Run) -> QuerySet[Case]:
    """Cases that expect nothing and name no scorer."""
    return Case.objects.filter(suite=run.suite_id, scorer__isnull=True, expected={})


def _add(run: Run, spec: ScorerSpec | None, versions: Versions, scored: Q) -> ScoreCounts:
    """Scores of answers that have none which is `scored`; `spec` None is each case's own."""
    counts = ScoreCounts()
    for piece in _pieces(run, scored, but=_bare(run) if spec is None else Case.objects.none()):
        made: list[Score] = []
        for generation in piece:
            named = spec or _own_scorer(generation.case)
            score = named and _score(generation, named, versions, own=spec is None)
            if score:
                made.append(score)
                counts += _counted(score)
            else:
                lacks = named is None
                counts += ScoreCounts(without_scorer=int(lacks), untried=int(not lacks))
        Score.objects.bulk_create(made, ignore_conflicts=True)
    return counts


def _pieces(run: Run, scored: Q, but: QuerySet[Case]) -> Iterator[list[Generation]]:
    """Answers without such a score, some at a time, but those to the cases `but`.

    What is there is looked up by id, range by range: a join would depend on what the database
    knows of tables that were filled a moment ago.
    """
    missing: list[int] = []
    for places in _places(run):
        span = (min(places), max(places))
        for position in but.filter(position__range=span).values_list("position", flat=True):
            places.pop(position, None)
        there = Score.objects.filter(scored, generation__in=list(places.values()))
        missing += sorted({*places.values()}.difference(there.values_list("generation", flat=True)))
        while len(missing) >= CHUNK:
            yield _read(missing[:CHUNK])
            del missing[:CHUNK]
    if missing:
        yield _read(missing)


def _places(run: Run) -> Iterator[dict[int, int]]:
    """The ids of the answers of `run` by their positions, a range at a time."""
    last = 0
    done = Generation.objects.filter(run=run, state=Generation.State.DONE)
    places = done.order_by("position").values_list("position", "pk")
    while piece := dict(places.filter(position__gt=last)[:MANY]):
        last = max(piece)
        yield piece


def _read(ids: list[int]) -> list[Generation]:
    return list(Generation.objects.filter(pk__in=ids).select_related("case").order_by("pk"))


def _own_scorer(case: Case) -> ScorerSpec | None:
    try:
        return scorer_named_by(case)
    except Exception as error:
        log.exception("What case %s expects cannot be read.", case.pk)
        return ScorerSpec("unreadable", {"because": str(error)[:REASON_CHARS]})


def _score(
    generation: Generation, spec: ScorerSpec, versions: Versions, *, own: bool
) -> Score | None:
    scorer = ready(spec)
    try:
        result = _measured(scorer, generation)
    except NoChildError:
        log.exception("Generation %s was not scored.", generation.pk)
        return None
    return _row(generation, versions.of(scorer), result, own=own)


def _measured(scorer: Scorer | Unusable, generation: Generation) -> Result:
    if isinstance(scorer, Unusable):
        return Unscored(scorer.reason)
    try:
        expected: Expected = expected_of(generation.case)
        return measure(scorer, output_of(generation), expected)
    except NoChildError:
        raise
    except Exception as error:
        # A scorer that breaks is no reason to lose the other scores of a run.
        log.exception("%s broke on generation %s.", scorer.kind.name, generation.pk)
        return Unscored(f"the scorer broke: {type(error).__name__}: {error}")


def _row(generation: Generation, scorer: int, result: Result, *, own: bool) -> Score:
    row = Score(generation=generation, scorer_id=scorer, own=own)
    if isinstance(result, Unscored):
        row.reason = storable(clipped(result.reason, REASON_CHARS)) or "no reason was given"
    else:
        row.value, row.passed = result.value, result.passed
        row.parts = {name: plain(value) for name, value in result.parts.items()}
    return row


def plain(value: Any) -> Any:
    """`value` as JSON that a database can hold."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value


def _result(score: Score) -> Result:
    if score.value is None:
        return Unscored(score.reason)
    return Scored(score.value, score.passed, score.parts)


def _counted(score: Score) -> ScoreCounts:
    if score.value is None:
        return ScoreCounts(unscored=1)
    return ScoreCounts(scored=1, passed=int(bool(score.passed)))
