"""Single cases of a comparison as pages show them: in a list, and one with all of its scores."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from annotate.blinding import BlindPair
from annotate.showing import ShownPair, Turn, View, show_pair
from evals.models import Attempt, Case, Generation, Score
from evals.queries.compared_cases import OUTCOMES, CaseRow, OutputStart
from evals.queries.runs import RunPair
from evals.reporting import compared
from evals.reporting.compared_page import value_words
from evals.reporting.numbers import DASH
from evals.stats import wording
from evals.suites import ShownCase, shown_case

FINDINGS = {
    "both": "Both systems pass this case",
    "won": "Only the candidate passes this case",
    "lost": "Only the baseline passes this case",
    "neither": "Neither system passes this case",
    "unscored": "Nothing says which of these answers is right",
}
# By passing: what the baseline and the candidate did.
MARKS = {
    "both": ("passes", "passes"),
    "won": ("fails", "passes"),
    "lost": ("passes", "fails"),
    "neither": ("fails", "fails"),
}
# Kind of the mark of a list: candidate, tie, baseline.
KINDS = {"won": "c", "lost": "b"}
OUTCOME_WORDS = {
    "both": "both pass",
    "won": "candidate alone passes",
    "lost": "baseline alone passes",
    "neither": "both fail",
    "unscored": "unscored",
}
VALUE_WORDS = {
    "won": "candidate better",
    "tied": "equal",
    "lost": "baseline better",
    "unscored": "unscored",
}
FILTER_WORDS = {
    "all": "All",
    "regressions": "Regressions",
    "improvements": "Improvements",
    "failed": "Both fail",
    "passed": "Both pass",
    "ties": "Equal",
    "unscored": "Unscored",
    "errors": "Errors",
}
# Of the start of a text in a list.
LINE = 240


@dataclass(frozen=True, slots=True)
class ListedOutput:
    """The start of an answer, and how it did."""

    text: str
    note: str
    mark: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class ListedCase:
    position: int
    case_id: str
    category: str
    split: str
    kind: str
    outcome: str
    prompt: str
    expected: str
    baseline: ListedOutput
    candidate: ListedOutput


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice of a list with how many cases it shows."""

    name: str
    words: str
    count: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class ScoreSide:
    """What one scorer says of one answer."""

    value: str = DASH
    mark: str = ""
    reason: str = ""
    parts: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class ScoreRow:
    name: str
    signature: str
    is_own: bool
    baseline: ScoreSide
    candidate: ScoreSide


@dataclass(frozen=True, slots=True)
class AnswerSide:
    """All that is known of one answer beside its text."""

    system: str
    error_kind: str
    error: str
    notes: Sequence[str]
    facts: Sequence[tuple[str, str]]
    attempts: Sequence[Attempt]


@dataclass(frozen=True, slots=True)
class WholeCase:
    """One case with both answers."""

    finding: str
    case: ShownCase
    turns: Sequence[Turn]
    given: Sequence[Turn]
    shown: ShownPair
    baseline: AnswerSide
    candidate: AnswerSide
    scores: Sequence[ScoreRow]


def filters(counts: dict[str, int], show: str, *, by_value: bool) -> list[Filter]:
    """The choices of a list; those of passing or those of a scorer's values."""
    apart = {"failed", "passed"} if by_value else {"ties"}
    return [
        Filter(name, FILTER_WORDS[name], wording.count(counts[name]), name == show)
        for name in OUTCOMES
        if name not in apart
    ]


def listed_case(row: CaseRow, *, by_value: bool) -> ListedCase:
    words = VALUE_WORDS if by_value else OUTCOME_WORDS
    marks = MARKS.get(row.outcome, ("", ""))
    if by_value:
        marks = tuple(  # type: ignore[assignment]
            "" if value is None else value_words(value)
            for value in (row.baseline_value, row.candidate_value)
        )
    return ListedCase(
        row.position,
        row.case_id,
        row.category,
        row.split,
        KINDS.get(row.outcome, "t"),
        words.get(row.outcome, row.outcome),
        _line(row.prompt),
        _expected_line(row),
        _listed(row.baseline, marks[0]),
        _listed(row.candidate, marks[1]),
    )


def _listed(start: OutputStart, mark: str) -> ListedOutput:
    text = _line(start.text or "")
    if not start.is_error and start.tool_calls not in (None, "null", "[]"):
        text = " ".join(part for part in (text, _line(start.tool_calls or "")) if part)
    note = "error" if start.is_error else "cut off" if start.is_truncated else ""
    return ListedOutput(text, note, mark, start.is_error)


def _expected_line(row: CaseRow) -> str:
    """What is expected, in one line; a long one is left to the page of the case."""
    if row.expected is None:
        return "see the case"
    told = shown_case(0, _bare(row.expected)).expected
    return _line(" · ".join(text.text for text in told))


def _bare(expected: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "", "messages": [], "tools": [], "expected": expected, "category": "",
        "split": "target", "scorer": None, "metadata": {},
    }  # fmt: skip


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LINE else line[:LINE] + "…"


def whole_case(
    pair: RunPair, found: tuple[Case, Generation, Generation], outcome: str, view: View
) -> WholeCase:
    """One case, ready for its page."""
    case, baseline, candidate = found
    outputs = BlindPair(_prompt(case), left=_output(baseline), right=_output(candidate))
    shown = show_pair(outputs, view)
    return WholeCase(
        FINDINGS[outcome],
        shown_case(case.position, _case_data(case)),
        shown.turns,
        shown.given,
        shown,
        _side("baseline", baseline, pair.baseline.source),
        _side("candidate", candidate, pair.candidate.source),
        _scores(baseline, candidate),
    )


def _case_data(case: Case) -> dict[str, Any]:
    return {
        "id": case.case_id,
        "messages": case.messages,
        "tools": case.tools,
        "expected": case.expected,
        "category": case.category,
        "split": case.split,
        "scorer": case.scorer,
        "metadata": case.metadata,
    }


def _prompt(case: Case) -> str:
    """A single question as it stands, a conversation as its messages."""
    messages = case.messages
    if len(messages) == 1 and isinstance(messages[0].get("content"), str):
        return str(messages[0]["content"])
    return json.dumps(messages, ensure_ascii=False)


def _output(generation: Generation) -> str:
    """The answer as one text; with calls as the message it was, so that calls are laid out."""
    text = generation.text
    if text is None and generation.refusal is not None:
        text = generation.refusal
    if not generation.tool_calls:
        return text or ""
    message = {"content": text, "tool_calls": generation.tool_calls}
    return json.dumps(message, ensure_ascii=False)


def _side(system: str, generation: Generation, source: str) -> AnswerSide:
    return AnswerSide(
        system,
        generation.error_kind.replace("_", " "),
        generation.error,
        _notes(generation),
        _facts(generation, source),
        sorted(generation.attempts.all(), key=lambda attempt: attempt.number),
    )


def _notes(generation: Generation) -> list[str]:
    told = []
    if generation.finish_reason == "length":
        told.append("Cut off: the answer reached the limit of tokens.")
    if generation.refusal is not None:
        told.append("The service marked this answer as a refusal.")
    if generation.cached:
        told.append("From a cache: its latency does not count.")
    return told


def _facts(generation: Generation, source: str) -> list[tuple[str, str]]:
    facts = {
        "model": generation.model,
        "finish": generation.finish_reason,
        "latency": _measured(generation.latency_ms),
        "first token": _measured(generation.first_token_ms),
        "tries": str(generation.tries) if source == "calls" else "",
        "prompt tokens": _count(generation.prompt_tokens),
        "generated tokens": _count(generation.completion_tokens),
    }
    return [(name, value) for name, value in facts.items() if value]


def _measured(ms: float | None) -> str:
    return "" if ms is None else compared.time_words(ms)


def _count(tokens: int | None) -> str:
    return "" if tokens is None else wording.count(tokens)


def _scores(baseline: Generation, candidate: Generation) -> list[ScoreRow]:
    """Every score of either answer, cases' own first."""
    sides = [
        {score.scorer_id: score for score in one.scores.all()} for one in (baseline, candidate)
    ]
    scorers = {score.scorer_id: score for side in sides for score in side.values()}
    rows = [
        ScoreRow(
            score.scorer.name,
            score.scorer.signature,
            score.own,
            _score_side(sides[0].get(key)),
            _score_side(sides[1].get(key)),
        )
        for key, score in scorers.items()
    ]
    return sorted(rows, key=lambda row: (not row.is_own, row.name, row.signature))


def _score_side(score: Score | None) -> ScoreSide:
    if score is None:
        return ScoreSide(reason="not scored by it")
    if score.value is None:
        return ScoreSide(reason=score.reason)
    mark = "" if score.passed is None else "passes" if score.passed else "fails"
    parts = [(name.replace("_", " "), _part(value)) for name, value in score.parts.items()]
    return ScoreSide(value_words(score.value), mark, "", parts)


def _part(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: DASH}[value]
    if isinstance(value, list):
        return ", ".join(_part(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
