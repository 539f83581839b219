"""What was asked again: who says the same, and who stays on a side of the screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from annotate.models import Study, User
from annotate.repeating import EARLIEST
from evals import queries
from evals.reporting.numbers import Shown, level, shown
from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.repeats import (
    NOBODY,
    Repeated,
    all_kept_side,
    all_same_answer,
    all_same_point,
    kept_side,
    left_of_kept,
    same_answer,
    same_point,
)

ELSEWHERE = "nobody was asked again what they judged elsewhere"


@dataclass(frozen=True, slots=True)
class RepeatRow:
    """One annotator, or all of them: `left` and `right` are the sides on which they stayed."""

    name: str
    n: str
    same: Shown
    exact: Shown | None
    kept: Shown
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Repeats:
    """What pages show of repeats; `rows` is empty where there are none."""

    asked: bool
    share: str
    earliest: int
    finding: str
    total: RepeatRow
    rows: Sequence[RepeatRow]
    left: Shown
    side: str
    level: str


def repeats(
    study: Study,
    people: Mapping[UUID, str],
    *,
    only: queries.Source | None = None,
    confidence: float = 0.95,
) -> Repeats:
    """Read inside a snapshot, with the rest of the page."""
    counts = queries.repeats(study, only)
    total = counts.all.total
    has_points = study.max_strength > 1
    same = attempt(all_same_answer, counts.all, confidence)
    left = attempt(left_of_kept, counts.all, confidence)
    exact = attempt(all_same_point, counts.all, confidence) if has_points else None
    kept = attempt(all_kept_side, counts.all, confidence)
    rows = [
        _person(people.get(who, "somebody"), counts.annotators[who], has_points, confidence)
        for who in sorted(counts.annotators, key=lambda who: people.get(who, "").lower())
    ]
    return Repeats(
        asked=only != "imported" and (study.repeat_share > 0 or total.n > 0),
        share=wording.percent(float(study.repeat_share), 0),
        earliest=EARLIEST,
        finding=_finding(same),
        total=_row("Everybody", total, same, exact, kept),
        rows=rows,
        left=shown(left, word="repeats"),
        side=side_kept(left, total),
        level=level(confidence),
    )


def _person(name: str, of: Repeated, has_points: bool, confidence: float) -> RepeatRow:
    exact = attempt(same_point, of, confidence) if has_points else None
    same, kept = attempt(same_answer, of, confidence), attempt(kept_side, of, confidence)
    return _row(name, of, same, exact, kept)


def _row(
    name: str,
    of: Repeated,
    same: Estimate | Undefined,
    exact: Estimate | Undefined | None,
    kept: Estimate | Undefined,
) -> RepeatRow:
    return RepeatRow(
        name,
        wording.count(of.n),
        shown(same, word=""),
        None if exact is None else shown(exact, word=""),
        shown(kept, word=""),
        of.left,
        of.right,
    )


def _finding(same: Estimate | Undefined) -> str:
    if isinstance(same, Undefined):
        return f"It cannot be told how consistent annotators are: {same.reason}."
    between = wording.interval(same.low, same.high, "share") if same.low is not None else ""
    interval = f" ({between})" if between else ""
    return (
        f"Asked again with the sides exchanged, annotators said the same in "
        f"{wording.percent(same.value)}{interval} of {wording.counted(same.n, 'repeats')}."
    )


def side_kept(left: Estimate | Undefined, total: Repeated) -> str:
    """Whether those who stayed on a side did so on one side more than on the other."""
    if total.n == 0:
        return ""
    of = f"of {wording.counted(total.n, 'repeats')}"
    kept = f"The left side was kept in {total.left} {of}, the right one in {total.right}"
    if isinstance(left, Undefined) or left.low is None or left.high is None:
        return f"{kept}."
    if left.low > 0.5 or left.high < 0.5:
        return f"{kept}: a lean to the {'left' if left.low > 0.5 else 'right'}."
    return f"{kept}: no lean to a side shows."


def repeats_document(
    study: Study, only: queries.Source | None = None, confidence: float = 0.95
) -> dict[str, Any]:
    """The same for `report --json`; empty where nothing is asked again, nor was."""
    counts = queries.repeats(study, only)
    total = counts.all.total
    if not study.repeat_share and not total.n:
        return {}
    users = User.objects.in_bulk(list(counts.annotators))
    named = sorted((users[who].label, of) for who, of in counts.annotators.items())
    none = Undefined(ELSEWHERE) if only == "imported" else Undefined(NOBODY)

    def of_all(estimate: Any) -> Any:
        return (attempt(estimate, counts.all, confidence) if total.n else none).as_json()

    return {
        "share": float(study.repeat_share),
        "n": total.n,
        "same_answer": of_all(all_same_answer),
        "same_point": of_all(all_same_point),
        "kept_side": of_all(all_kept_side),
        "left_of_kept": of_all(left_of_kept),
        "annotators": [_document(label, of, confidence) for label, of in named],
    }


def _document(label: str, of: Repeated, confidence: float) -> dict[str, Any]:
    return {
        "annotator": label,
        "n": of.n,
        "same_answer": attempt(same_answer, of, confidence).as_json(),
        "same_point": attempt(same_point, of, confidence).as_json(),
        "kept_side": attempt(kept_side, of, confidence).as_json(),
        "kept_left": of.left,
        "kept_right": of.right,
    }
