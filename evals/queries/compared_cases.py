"""Single cases of a comparison: filtered, a page at a time, and one case whole."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evals.models import Case, Generation
from evals.queries.reading import rows_of
from evals.queries.run_facts import pair_ids
from evals.queries.runs import RunPair

# What both systems made of a case. By passing: both, won, lost, neither. By the value of one
# scorer: won, tied, lost. Either way: unscored.
BY_PASSING = """
WITH marked AS (
    SELECT bg.case_id, bg.id AS b_id, cg.id AS c_id, bg.error <> '' AS b_error,
           cg.error <> '' AS c_error, bs.scorer_id <> cs.scorer_id AS unlike,
           coalesce(bs.passed, CASE WHEN bg.error <> '' AND bs.value IS NULL
               AND (bs.id IS NOT NULL OR cs.passed IS NOT NULL) THEN false END) AS b,
           coalesce(cs.passed, CASE WHEN cg.error <> '' AND cs.value IS NULL
               AND (cs.id IS NOT NULL OR bs.passed IS NOT NULL) THEN false END) AS c
    FROM evals_generation bg
    JOIN evals_generation cg ON cg.run_id = %(candidate)s AND cg.case_id = bg.case_id
    LEFT JOIN evals_score bs ON bs.generation_id = bg.id AND bs.own
    LEFT JOIN evals_score cs ON cs.generation_id = cg.id AND cs.own
    WHERE bg.run_id = %(baseline)s
), pairs AS (
    SELECT marked.*, NULL::float AS b_value, NULL::float AS c_value,
           CASE WHEN b IS NULL OR c IS NULL OR unlike THEN 'unscored' WHEN b AND c THEN 'both'
                WHEN c THEN 'won' WHEN b THEN 'lost' ELSE 'neither' END AS outcome
    FROM marked
)
"""
BY_VALUE = """
WITH marked AS (
    SELECT bg.case_id, bg.id AS b_id, cg.id AS c_id, bg.error <> '' AS b_error,
           cg.error <> '' AS c_error, s.value AS b_value, t.value AS c_value,
           CASE WHEN v.higher_is_better THEN t.value - s.value ELSE s.value - t.value END AS gain
    FROM evals_generation bg
    JOIN evals_generation cg ON cg.run_id = %(candidate)s AND cg.case_id = bg.case_id
    CROSS JOIN evals_scorerversion v
    LEFT JOIN evals_score s ON s.generation_id = bg.id AND s.scorer_id = v.id
        AND (s.own OR %(scorer)s > 0)
    LEFT JOIN evals_score t ON t.generation_id = cg.id AND t.scorer_id = v.id
        AND (t.own OR %(scorer)s > 0)
    WHERE bg.run_id = %(baseline)s AND v.name = %(scorer_name)s
        AND (v.id = %(scorer)s OR %(scorer)s = 0) AND (s.id IS NOT NULL OR t.id IS NOT NULL)
), pairs AS (
    SELECT marked.*,
           CASE WHEN gain IS NULL THEN 'unscored' WHEN gain > 0 THEN 'won'
                WHEN gain < 0 THEN 'lost' ELSE 'tied' END AS outcome
    FROM marked
)
"""

FOUND = """
, found AS (
    SELECT pairs.*, k.position, k.split, k.category,
           k.case_id AS name FROM pairs
    JOIN evals_case k ON k.id = pairs.case_id
    JOIN evals_generation bg ON bg.id = b_id
    JOIN evals_generation cg ON cg.id = c_id
    WHERE (%(category)s::text IS NULL OR k.category = %(category)s)
      AND (%(split)s::text IS NULL OR k.split = %(split)s)
      AND (%(words)s::text IS NULL
           OR k.case_id ILIKE %(words)s OR k.messages::text ILIKE %(json_words)s
           OR bg.text ILIKE %(words)s OR cg.text ILIKE %(words)s
           OR bg.tool_calls::text ILIKE %(json_words)s OR cg.tool_calls::text ILIKE %(json_words)s)
), hits AS (
    SELECT * FROM found
    WHERE (%(outcomes)s::text[] IS NULL OR outcome = ANY(%(outcomes)s))
      AND (NOT %(errors)s OR b_error OR c_error)
)
"""

COUNTS = """
SELECT outcome, count(*), count(*) FILTER (WHERE b_error OR c_error) FROM found GROUP BY outcome
"""

# The start of what the user said last stands for the prompt.
ROWS = """
SELECT page.position, page.name, page.split, page.category, outcome, b_value, c_value,
       (SELECT left(m ->> 'content', %(start)s)
        FROM jsonb_array_elements(k.messages) WITH ORDINALITY AS said (m, place)
        WHERE m ->> 'role' = 'user' ORDER BY place DESC LIMIT 1),
       CASE WHEN length(k.expected::text) <= %(most_expected)s THEN k.expected::text END,
       left(coalesce(nullif(bg.error, ''), bg.text), %(start)s),
       left(bg.tool_calls::text, %(start)s), bg.error <> '', bg.finish_reason = 'length',
       left(coalesce(nullif(cg.error, ''), cg.text), %(start)s),
       left(cg.tool_calls::text, %(start)s), cg.error <> '', cg.finish_reason = 'length'
FROM (SELECT * FROM hits WHERE position > %(after)s AND position < %(before)s
      ORDER BY position {direction} LIMIT %(limit)s) AS page
JOIN evals_case k ON k.id = page.case_id
JOIN evals_generation bg ON bg.id = b_id
JOIN evals_generation cg ON cg.id = c_id
ORDER BY page.position
"""

AROUND = """
SELECT max(position) FILTER (WHERE position < %(here)s),
       min(position) FILTER (WHERE position > %(here)s),
       count(*) FILTER (WHERE position <= %(here)s), count(*), bool_or(position = %(here)s)
FROM hits
"""

OUTCOME = "SELECT outcome FROM found WHERE position = %(here)s"

OUTCOMES: dict[str, tuple[str, ...]] = {
    "all": (),
    "regressions": ("lost",),
    "improvements": ("won",),
    "failed": ("neither",),
    "passed": ("both",),
    "ties": ("tied",),
    "unscored": ("unscored",),
    "errors": (),
}
PAGE_SIZE = 25
LAST = 2**31 - 1
# Characters of a text in a list, and of the JSON of what is expected.
START = 300
MOST_EXPECTED = 4000


@dataclass(frozen=True, slots=True)
class Looking:
    """Which cases are looked at; `show` is a key of OUTCOMES.

    `scorer` is 0 for cases' own scorers. With a `scorer_name` outcomes go by its values,
    else by passing.
    """

    show: str = "all"
    category: str | None = None
    split: str | None = None
    words: str = ""
    scorer: int = 0
    scorer_name: str = ""


@dataclass(frozen=True, slots=True)
class OutputStart:
    """The start of an output or of an error."""

    text: str | None
    tool_calls: str | None
    is_error: bool
    is_truncated: bool


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case in a list; `expected` is None where it is long."""

    position: int
    case_id: str
    split: str
    category: str
    outcome: str
    baseline_value: float | None
    candidate_value: float | None
    prompt: str
    expected: dict[str, Any] | None
    baseline: OutputStart
    candidate: OutputStart


@dataclass(frozen=True, slots=True)
class CasePage:
    rows: Sequence[CaseRow]
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Around:
    """Where a case stands among those looked at; all None where it is none of them."""

    previous: int | None = None
    next: int | None = None
    number: int | None = None
    total: int = 0


def case_counts(pair: RunPair, looking: Looking) -> dict[str, int]:
    """How many cases each key of OUTCOMES would show."""
    rows = rows_of(_statement(looking) + COUNTS, _params(pair, looking))
    by_outcome = {outcome: count for outcome, count, _ in rows}
    counts = {
        show: sum(by_outcome.get(outcome, 0) for outcome in outcomes)
        for show, outcomes in OUTCOMES.items()
    }
    counts["all"] = sum(by_outcome.values())
    counts["errors"] = sum(row[2] for row in rows)
    return counts


def case_page(
    pair: RunPair, looking: Looking, *, after: int | None = None, before: int | None = None
) -> CasePage:
    """The cases after a position, or those before one, in the order of the suite."""
    backwards = before is not None
    params = _params(pair, looking) | {
        "after": after or 0,
        "before": LAST if before is None else before,
        "limit": PAGE_SIZE + 1,
    }
    rows = ROWS.format(direction="DESC" if backwards else "ASC")
    found = [_row(row) for row in rows_of(_statement(looking) + rows, params)]
    more = len(found) > PAGE_SIZE
    shown = (found[1:] if backwards else found[:PAGE_SIZE]) if more else found
    if not shown:
        return CasePage([], None, None)
    has_before = more if backwards else bool(after)
    has_after = True if backwards else more
    return CasePage(
        shown,
        shown[0].position if has_before else None,
        shown[-1].position if has_after else None,
    )


def changed_cases(pair: RunPair, show: str, limit: int = 50) -> list[CaseRow]:
    """The first cases of one key of OUTCOMES, by passing."""
    looking = Looking(show=show)
    params = _params(pair, looking) | {"after": 0, "before": LAST, "limit": limit}
    rows = rows_of(_statement(looking) + ROWS.format(direction="ASC"), params)
    return [_row(row) for row in rows]


def _row(row: Sequence[Any]) -> CaseRow:
    position, case_id, split, category, outcome, b_value, c_value, prompt, expected, *outputs = row
    return CaseRow(
        position, case_id, split, category, outcome, b_value, c_value, prompt or "",
        None if expected is None else json.loads(expected),
        OutputStart(*outputs[:4]), OutputStart(*outputs[4:]),
    )  # fmt: skip


def case_outcome(pair: RunPair, position: int) -> str:
    """What both systems made of one case, by passing."""
    params = _params(pair, Looking()) | {"here": position}
    rows = rows_of(_statement(Looking()) + OUTCOME, params)
    return str(rows[0][0]) if rows else "unscored"


def case_around(pair: RunPair, looking: Looking, position: int) -> Around:
    """The neighbours of a case among those looked at."""
    params = _params(pair, looking) | {"here": position}
    ((previous, following, number, total, is_there),) = rows_of(
        _statement(looking) + AROUND, params
    )
    return Around(previous, following, number if is_there else None, total)


def case_of(pair: RunPair, position: int) -> tuple[Case, Generation, Generation] | None:
    """One case with both answers, every score and every try; None where there is none."""
    case = Case.objects.filter(suite=pair.suite, position=position).first()
    if case is None:
        return None
    found = Generation.objects.filter(run__in=pair.runs, case=case).prefetch_related(
        "scores__scorer", "attempts"
    )
    sides = {generation.run_id: generation for generation in found}
    if len(sides) < 2:
        return None
    return case, sides[pair.baseline.pk], sides[pair.candidate.pk]


def _statement(looking: Looking) -> str:
    return (BY_VALUE if looking.scorer_name else BY_PASSING) + FOUND


def _params(pair: RunPair, looking: Looking) -> dict[str, Any]:
    return pair_ids(pair) | {
        "scorer": looking.scorer,
        "scorer_name": looking.scorer_name,
        "category": looking.category,
        "split": looking.split,
        "words": _pattern(looking.words),
        # Inside JSON a quotation mark or a line end is written with a backslash.
        "json_words": _pattern(json.dumps(looking.words, ensure_ascii=False)[1:-1]),
        "outcomes": list(OUTCOMES[looking.show]) or None,
        "errors": looking.show == "errors",
        "start": START,
        "most_expected": MOST_EXPECTED,
    }


def _pattern(words: str) -> str | None:
    """What ILIKE finds `words` with, wherever they stand."""
    if not words:
        return None
    for special in ("\\", "%", "_"):
        words = words.replace(special, "\\" + special)
    return f"%{words}%"
