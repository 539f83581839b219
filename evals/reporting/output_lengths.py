"""How long outputs are, in words: a caution beside every preference, and no gate."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from evals.comparing import Comparison, LengthGroup, Lengths, answers_json, mean_length
from evals.models import Run
from evals.queries.output_lengths import Answers, run_lengths
from evals.reporting.compared import category_name
from evals.reporting.compared_page import MOST_ROWS, group_name, group_query
from evals.reporting.numbers import Shown, level, listed, shown
from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined

# Beyond it one system's outputs are much longer than the other's.
MUCH = 1.1


@dataclass(frozen=True, slots=True)
class LengthRow:
    """All cases, a split or a category."""

    name: str
    is_split: bool
    n: str
    left_out: int
    candidate: Shown
    baseline: Shown
    difference: Shown
    ratio: Shown
    query: str


@dataclass(frozen=True, slots=True)
class RunLength:
    """Mean length of one run's outputs, and what became of its answers."""

    mean: Estimate | Undefined
    answers: Answers

    @property
    def shown(self) -> Shown:
        return shown_characters(self.mean, "outputs")

    @property
    def note(self) -> str:
        """Which answers are not in the mean."""
        words = _words(self.answers)
        return wording.sentence(words) if words else ""

    def as_json(self) -> dict[str, Any]:
        return {
            "unit": "characters",
            "mean": self.mean.as_json(),
            "outputs": answers_json(self.answers),
        }


def length_rows(found: Comparison, most: int = MOST_ROWS) -> tuple[list[LengthRow], int]:
    """All cases, splits and categories, and how many rows are left out."""
    groups = length_groups(found.lengths)
    rows = [_row(group, is_split=is_split) for group, is_split in groups[:most]]
    return rows, max(0, len(groups) - most)


def length_groups(lengths: Lengths) -> list[tuple[LengthGroup, bool]]:
    """All cases; each split where there are two; categories, where any has a name."""
    groups = [(lengths.overall, True)]
    named = any(group.cell.category for group in lengths.categories)
    for split in lengths.splits:
        if len(lengths.splits) > 1:
            groups.append((split, True))
        if named:
            inside = [one for one in lengths.categories if one.cell.split == split.cell.split]
            groups += [(group, False) for group in inside]
    return groups


def _row(group: LengthGroup, *, is_split: bool) -> LengthRow:
    cell = group.cell
    return LengthRow(
        group_name(cell.split, cell.category, is_split=is_split),
        is_split,
        wording.count(group.n),
        cell.cases - cell.pairs,
        shown_characters(group.candidate),
        shown_characters(group.baseline),
        shown_characters(group.difference, sign=True),
        shown(group.ratio, "ratio", ""),
        group_query(cell.split, cell.category, is_split=is_split),
    )


def shown_characters(
    found: Estimate | Undefined, word: str = "cases", *, sign: bool = False
) -> Shown:
    """A mean length, or a difference of two: no finer than reading it asks for."""
    base = shown(found, "coefficient", word)
    if isinstance(found, Undefined):
        return base
    interval = ""
    if found.low is not None and found.high is not None:
        digits = 0 if max(abs(found.low), abs(found.high)) >= 100 else 1
        ends = (wording.decimal(end, digits, sign=sign) for end in (found.low, found.high))
        interval = " to ".join(ends)
    digits = 1 if abs(found.value) < 10_000 else 0
    return replace(base, value=wording.decimal(found.value, digits, sign=sign), interval=interval)


def length_finding(found: Comparison) -> str:
    """Which system writes longer, and what that does to a preference."""
    ratio = found.lengths.overall.ratio
    if isinstance(ratio, Undefined):
        return wording.sentence(f"nothing can be said of lengths: {ratio.reason}")
    times = f"{wording.decimal(ratio.value, 2)} times as long as the baseline’s"
    if ratio.low is None or ratio.high is None:
        each = "On the one case" if ratio.n == 1 else f"On each of {ratio.n:,} cases"
        if ratio.value == 1:
            return f"{each} both outputs are equally long."
        return f"{each} the candidate’s output is {times}."
    told = (
        f"{times} "
        f"({level(ratio.confidence)} interval {wording.interval(ratio.low, ratio.high, 'ratio')}, "
        f"{wording.counted(ratio.n, 'cases')})"
    )
    if ratio.low <= 1 <= ratio.high:
        return f"Neither system is shown to write longer: the candidate’s outputs are {told}."
    return f"The candidate’s outputs are {told}.{_caution(ratio.low, ratio.high)}"


def _caution(low: float, high: float) -> str:
    if high >= 1 / MUCH and low <= MUCH:
        return ""
    longer = "candidate" if low > 1 else "baseline"
    return (
        " People and model judges tend to prefer the longer of two texts: a preference for the "
        f"{longer} may be one for length."
    )


def not_counted(found: Comparison) -> list[str]:
    """Answers without a length, and empty ones, a sentence for each system that has some."""
    cells = found.lengths.cells
    sides = (("candidate", cells.candidate), ("baseline", cells.baseline))
    return [f"Of the {name}: {words}." for name, answers in sides if (words := _words(answers))]


def _words(answers: Answers) -> str:
    """ "3 that failed and 1 without text have no length; 2 are empty and count 0 characters"."""
    lacking = []
    if answers.failed:
        lacking.append(f"{wording.count(answers.failed)} that failed")
    if answers.without_text:
        lacking.append(f"{wording.count(answers.without_text)} without text (calls of tools alone)")
    told = []
    if lacking:
        verb = "has" if answers.failed + answers.without_text == 1 else "have"
        told.append(f"{listed(lacking)} {verb} no length")
    if answers.empty:
        one = answers.empty == 1
        told.append(
            f"{wording.count(answers.empty)} {'is' if one else 'are'} empty and "
            f"{'counts' if one else 'count'} 0 characters"
        )
    return "; ".join(told)


def run_length(run: Run) -> RunLength:
    """Of the answers of one run that are there."""
    found = run_lengths(run)
    answers = found.answers
    mean: Estimate | Undefined = Undefined("no answer has a text")
    if answers.outputs:
        mean = mean_length(answers.outputs, found.mean, found.deviation, 0.95)
    return RunLength(mean, answers)


def length_lines(found: Comparison) -> Iterator[tuple[str, int, LengthGroup]]:
    """Name, indent and group of each row for a terminal."""
    for group, is_split in length_groups(found.lengths):
        cell = group.cell
        name = group_name(cell.split, cell.category, is_split=is_split)
        yield (name if is_split else category_name(name)), (2 if is_split else 4), group
