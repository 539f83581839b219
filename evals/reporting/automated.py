"""The page of automated evaluation: every suite of a study in a few lines, and what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass

from evals.charts import Axis, Strip, Tick, points_axis, points_ticks, strip
from evals.comparing import Comparison, Group
from evals.queries.runs import RunPair, SuiteRun
from evals.reporting import compared
from evals.reporting.numbers import Shown, day_words, in_words, listed, shown
from evals.stats import wording

# The worst first, each with the look of a gate.
STATUS_LOOKS = {
    "regressed": "unmet",
    "not enough cases": "open",
    "no regression shown": "met",
}
# What a study has to know, which of the suites that come along tells it, and what it is about.
WANTED = (
    ("target", "Target task", "cases of the task that the candidate was tuned for", "tool_calling"),
    ("general", "General abilities", "cases that nothing may be lost on", "general_knowledge"),
    ("adversarial", "Adversarial robustness", "cases of a category named adversarial",
     "tool_calling"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HeadlineRow:
    """One part of a suite: the difference with its figure, both pass rates."""

    name: str
    n: str
    strip: Strip
    difference: Shown
    candidate: Shown
    baseline: Shown


@dataclass(frozen=True, slots=True)
class Status:
    """A count of categories with the look of a gate: ("unmet", "1 category regressed")."""

    look: str
    words: str


@dataclass(frozen=True, slots=True)
class SuiteCard:
    """One suite in the overview; without a pair `lacks` says who has yet to answer it."""

    run: SuiteRun
    finding: str
    rows: Sequence[HeadlineRow]
    statuses: Sequence[Status]
    runs: str
    notes: Sequence[str]
    unscored: str
    lacks: str

    @property
    def pair(self) -> RunPair | None:
        return self.run.pair


@dataclass(frozen=True, slots=True)
class Missing:
    """Something no run has measured yet, and the suite that would."""

    title: str
    about: str
    suite: str


@dataclass(frozen=True, slots=True)
class Overview:
    finding: str
    lede: str
    cards: Sequence[SuiteCard]
    ticks: Sequence[Tick]
    missing: Sequence[Missing]


def overview(suites: Sequence[SuiteRun], found: Sequence[Comparison]) -> Overview:
    """All suites that a study has runs of; `found` are those that both systems have answered."""
    by_suite = {one.pair.suite.name: one for one in found}
    groups = [group for one in found for _, group in _parts(one)]
    axis = points_axis([group.difference for group in groups])
    return Overview(
        _finding(suites, found),
        _lede(found),
        [_card(suite, by_suite.get(suite.name), axis) for suite in suites],
        points_ticks(axis),
        _missing(found),
    )


def _finding(suites: Sequence[SuiteRun], found: Sequence[Comparison]) -> str:
    if not suites:
        return "No suite has been run in this study yet"
    if not found:
        return "No suite has been answered by both systems yet"
    worse = [f"{compared.category_name(row.name)} ({one.pair.suite.name})"
             for one in found for row in one.regressed]  # fmt: skip
    if worse:
        return f"The candidate has regressed in {listed(worse, 3)}"
    return _better_and_worse(found)


def _better_and_worse(found: Sequence[Comparison]) -> str:
    signs = [one.overall.leans * one.overall.is_beyond_chance for one in found]
    better, below = signs.count(1), signs.count(-1)
    where = "the one suite" if len(found) == 1 else f"{in_words(len(found))} suites"
    if not better and not below:
        return f"No difference is shown between the two on {where}"
    if len(found) == 1:
        return f"The candidate is {'better' if better else 'worse'} on {where}"
    return (
        f"Of {where} the candidate is better on {in_words(better)} and worse on {in_words(below)}"
    )


def _lede(found: Sequence[Comparison]) -> str:
    if not found:
        return ""
    rows = [row for one in found for row in one.regression]
    short = sum(row.status == "not enough cases" for row in rows)
    if not rows or not short:
        return ""
    verb = "has" if short == 1 else "have"
    of = "one general category" if len(rows) == 1 else f"{in_words(len(rows))} general categories"
    return f"{in_words(short).capitalize()} of {of} {verb} not enough cases to rule out a loss."


def _card(suite: SuiteRun, found: Comparison | None, axis: Axis) -> SuiteCard:
    if found is None:
        return SuiteCard(suite, "", (), (), "", (), "", _lacks(suite))
    unscored = found.overall.cell.unscored
    return SuiteCard(
        suite,
        compared.finding(found),
        [headline_row(name, group, axis) for name, group in _parts(found)],
        status_counts(found),
        _runs(found.pair),
        compared.staleness(found.pair),
        f"{compared.cases(unscored)} without a score that passes or fails" if unscored else "",
        "",
    )


def _parts(found: Comparison) -> list[tuple[str, Group]]:
    names = {"target": "Target task", "general": "General abilities"}
    parts = [(names[group.split], group) for group in found.splits]
    if found.adversarial:
        parts.append(("Adversarial", found.adversarial))
    return parts


def headline_row(name: str, group: Group, axis: Axis) -> HeadlineRow:
    return HeadlineRow(
        name,
        wording.count(group.n),
        strip(group.difference, axis, 0.0),
        compared.shown_points(group.difference),
        shown(group.candidate, "share", ""),
        shown(group.baseline, "share", ""),
    )


def status_counts(found: Comparison) -> list[Status]:
    """How many general categories have each status, the worst first."""
    told = []
    for status, look in STATUS_LOOKS.items():
        count = sum(row.status == status for row in found.regression)
        if count:
            word = "category" if count == 1 else "categories"
            told.append(Status(look, f"{in_words(count).capitalize()} {word}: {status}"))
    return told


def _runs(pair: RunPair) -> str:
    dates = [day_words(run.ended_at.date()) for run in pair.runs if run.ended_at]
    when = " and ".join(dict.fromkeys(dates))
    return (
        f"Candidate {compared.run_words(pair.candidate)}, "
        f"baseline {compared.run_words(pair.baseline)}; ended on {when}"
    )


def _lacks(suite: SuiteRun) -> str:
    if suite.lacks:
        return f"No run of the {' and none of the '.join(suite.lacks)} is finished yet."
    return "The two systems have answered different versions of it."


def _missing(found: Sequence[Comparison]) -> list[Missing]:
    there = {
        "target": any(_has(one.split("target")) for one in found),
        "general": any(_has(one.split("general")) for one in found),
        "adversarial": any(_has(one.adversarial) for one in found),
    }
    return [Missing(title, about, suite) for key, title, about, suite in WANTED if not there[key]]


def _has(group: Group | None) -> bool:
    return group is not None and group.n > 0
