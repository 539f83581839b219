"""Items that both machines and people have judged: score differences beside preferences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotate.models import Study
from evals.models import RunBatch
from evals.queries.reading import counted_from
from evals.queries.said import MIDDLE
from evals.queries.texts import NONE, texts
from evals.queries.timed import Timed
from evals.queries.votes import Source, counted_judgements
from evals.stats.checks import Floats, Ints

# One number an item: +1 for each vote for the candidate, -1 for the baseline, over all votes.
PEOPLE = """
, people AS (SELECT item_id, avg(sign(preference))::float AS said FROM votes GROUP BY item_id)
"""

# The answers of an item are found by its batch's runs and by its case.
SCORED = """
, answers AS (
    SELECT p.item_id, p.said, bg.id AS baseline, cg.id AS candidate
    FROM people p JOIN annotate_item i ON i.id = p.item_id
    JOIN evals_runbatch rb ON rb.batch_id = i.batch_id
    JOIN evals_run r ON r.id = rb.baseline_run_id
    JOIN evals_case k ON k.suite_id = r.suite_id AND md5(k.case_id) = md5(i.item_id)
         AND k.case_id = i.item_id
    JOIN evals_generation bg ON bg.run_id = rb.baseline_run_id AND bg.case_id = k.id
    JOIN evals_generation cg ON cg.run_id = rb.candidate_run_id AND cg.case_id = k.id
)
SELECT v.name, bs.own, CASE WHEN bs.own THEN '' ELSE v.signature END,
       count(DISTINCT v.signature), min(v.signature),
       array_agg(a.item_id ORDER BY a.item_id), array_agg(a.said ORDER BY a.item_id),
       array_agg(CASE WHEN v.higher_is_better THEN cs.value - bs.value
                      ELSE bs.value - cs.value END ORDER BY a.item_id)
FROM answers a
JOIN evals_score bs ON bs.generation_id = a.baseline AND bs.value IS NOT NULL
JOIN evals_score cs ON cs.generation_id = a.candidate AND cs.value IS NOT NULL
     AND cs.scorer_id = bs.scorer_id
JOIN evals_scorerversion v ON v.id = bs.scorer_id
GROUP BY 1, 2, 3 ORDER BY 1, 2 DESC, 3
"""


@dataclass(frozen=True)
class Leaning:
    """One metric and people on the items that both have judged.

    Attributes
    ----------
    name : str
        Of the scorer; "length", "reference" for what is measured without one.
    own : bool
        Whether it is the scorer that the cases name themselves.
    signature : str
        Of the scorer; several of them are counted.
    items : (n,) array
        In ascending order.
    metric, people : (n,) arrays
        How far the metric, and how far people lean to the candidate.
    """

    name: str
    items: Ints
    metric: Floats
    people: Floats
    own: bool = False
    signature: str = ""


def leanings(study: Study, only: Source | None = None) -> list[Leaning]:
    """Every metric that speaks of items that people have judged."""
    return [*_scorers(study, only), *_of_texts(study, only)]


def _scorers(study: Study, only: Source | None) -> list[Leaning]:
    """Scores of the answers that a study's items are made of."""
    if not RunBatch.objects.filter(batch__study=study).exists():
        return []
    votes = counted_judgements(study, only).values("item_id", "preference")
    return [_scored(row) for row in counted_from(votes, PEOPLE + SCORED)]


def _of_texts(study: Study, only: Source | None) -> list[Leaning]:
    """What needs no scorer: lengths, and equality with the reference of an uploaded item."""
    judged, found = Timed(study, only), texts(study)
    if not len(judged.items):
        return []
    points, place = judged.points, np.searchsorted(found.items, judged.items)
    leaning = points[:, MIDDLE + 1 :].sum(axis=1) - points[:, :MIDDLE].sum(axis=1)
    said = leaning / points.sum(axis=1)
    lengths = found.longer_by[place].astype(np.float64)
    right = found.right[place]
    known = right != NONE
    answers = [Leaning("length", judged.items, lengths, said)]
    if known.any():
        metric = right[known].astype(np.float64)
        answers.append(Leaning("reference", judged.items[known], metric, said[known]))
    return answers


def _scored(row: Sequence[Any]) -> Leaning:
    name, own, _, versions, signature, items, said, metric = row
    words = signature if versions == 1 else f"{versions} versions of {name}"
    return Leaning(name, _ints(items), _floats(metric), _floats(said), own, words)


def leaning_of(name: str, rows: Sequence[tuple[int, float, float]], signature: str = "") -> Leaning:
    """A metric from rows of (item, how far it leans, how far people do), in any order."""
    items, metric, people = zip(*sorted(rows), strict=True)
    return Leaning(name, _ints(items), _floats(metric), _floats(people), False, signature)


def _ints(values: Sequence[int]) -> Ints:
    return np.asarray(values, dtype=np.int64)


def _floats(values: Sequence[float]) -> Floats:
    return np.asarray(values, dtype=np.float64)
