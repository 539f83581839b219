"""A comparison of two runs in words: what was found, what stays open, what it would take."""

from dataclasses import replace

from evals.comparing import CategoryRegression, Comparison, Group
from evals.models import Run
from evals.queries.runs import RunPair
from evals.reporting.numbers import DASH, Shown, day_words, in_words, level, listed, many, shown
from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined

Found = Estimate | Undefined
SPLIT_WORDS = {"target": "target task", "general": "general abilities", "": "all cases"}
NO_CATEGORY = "(no category)"
P_SMALLEST = 0.001


def finding(found: Comparison) -> str:
    """What the comparison says, by rule: a regression first, else the difference of all cases."""
    if found.regressed:
        names = [category_name(row.name) for row in found.regressed]
        return f"The candidate has regressed in {listed(names)}"
    whole = found.overall
    if not whole.n:
        return "No case says whether an answer is right: people or a judge must compare them"
    return _difference_words(whole)


def _difference_words(group: Group) -> str:
    difference = group.difference
    if isinstance(difference, Undefined):
        return f"Nothing can be said: {difference.reason}"
    if group.leans:
        return _leaning_words(group, difference)
    if not group.cell.discordant:
        return f"Both systems pass the same {wording.count(group.cell.both)} of {cases(group.n)}"
    return f"No difference is shown between the two on {cases(group.n)}"


def _leaning_words(group: Group, difference: Estimate) -> str:
    more = "more" if group.leans > 0 else "fewer"
    told = f"The candidate passes {more} cases than the baseline"
    if not group.is_beyond_chance:
        return f"{told}, but chance may explain it"
    seen = wording.points(abs(difference.value)).removeprefix("+")
    return f"{told}: {seen} {more}"


def lede(found: Comparison) -> str:
    """Below the finding: who passed how many, and what so many cases can show."""
    whole, cell = found.overall, found.overall.cell
    if not whole.n:
        return ""
    told = [
        f"The candidate passes {wording.count(cell.both + cell.won)} and the baseline "
        f"{wording.count(cell.both + cell.lost)} of {cases(whole.n)}: "
        f"{wording.count(cell.won)} won, {wording.count(cell.lost)} lost."
    ]
    if not isinstance(whole.detectable, Undefined):
        seen = wording.points(whole.detectable).removeprefix("+")
        told.append(
            f"Where systems differ as often as these, so many cases show a difference of {seen} "
            f"or more four times in five."
        )
    return " ".join(told)


def other_judges(pair: RunPair) -> list[tuple[str, str]]:
    """Who can compare answers that no scorer passes or fails, and the command that asks them."""
    runs = f"--baseline-run {pair.baseline.number} --candidate-run {pair.candidate.number}"
    slug = pair.baseline.study.slug
    return [
        ("People, blind and side by side", f"manage.py batch_from_runs {slug} {runs}"),
        ("A judge model, in both orders", f"manage.py run_judge {slug} {runs} --endpoint NAME"),
    ]


def cases(n: int) -> str:
    return wording.counted(n, "cases")


def category_name(name: str) -> str:
    return name or NO_CATEGORY


def regression_words(row: CategoryRegression, margin: float) -> str:
    """What a status means for this category, and what is missing."""
    tolerated = loss_words(margin)
    if row.status == "regressed":
        beyond = (
            isinstance(row.group.difference, Estimate)
            and row.group.difference.high is not None
            and row.group.difference.high < -margin
        )
        sure = f", surely by more than {tolerated}" if beyond else ""
        return f"lost more than chance explains (p {p_words(row.found.adjusted)}){sure}"
    if row.status == "no regression shown":
        return f"a loss beyond {tolerated} is ruled out"
    if row.more is None:
        return "how many more cases it takes cannot be foretold"
    more = f"{wording.about(row.more)} more {'case' if row.more == 1 else 'cases'}"
    return f"{more} would tell"


def loss_words(margin: float) -> str:
    """ "5 points"."""
    digits = 0 if abs(100 * margin - round(100 * margin)) < 1e-9 else 1
    return wording.points(margin, digits).removeprefix("+")


def regression_lede(found: Comparison) -> str:
    """What the statuses of all general categories say together."""
    rows = found.regression
    counted = {
        status: [row for row in rows if row.status == status]
        for status in ("regressed", "not enough cases", "no regression shown")
    }
    told = []
    if counted["regressed"]:
        names = listed([category_name(row.name) for row in counted["regressed"]])
        told.append(f"{wording.sentence(names)[:-1]} regressed.")
    if ruled := len(counted["no regression shown"]):
        verb = "has" if ruled == 1 else "have"
        told.append(
            f"{_many_categories(ruled).capitalize()} {verb} lost no more than "
            f"{loss_words(found.margin)}."
        )
    if short := len(counted["not enough cases"]):
        verb = "has" if short == 1 else "have"
        told.append(f"{_many_categories(short).capitalize()} {verb} not enough cases to tell.")
    return " ".join(told)


def _many_categories(count: int) -> str:
    return f"{in_words(count)} {'category' if count == 1 else 'categories'}"


def p_words(p: float | Undefined | None) -> str:
    """ "0.008", "< 0.001", or a dash."""
    if p is None or isinstance(p, Undefined):
        return DASH
    if p < P_SMALLEST:
        return f"< {P_SMALLEST}"
    return wording.decimal(p, 3 if p < 0.1 else 2)


def shown_points(found: Found) -> Shown:
    """A difference as "+8.4", for a column that says what it is in."""
    base = shown(found, "points", "")
    if isinstance(found, Undefined):
        return base
    return replace(base, value=wording.points_number(found.value))


def time_words(ms: float, like: float | None = None) -> str:
    """ "840 ms", "1.21 s"; in the unit that suits `like`."""
    number, unit = _time(ms, like)
    return f"{number}{wording.NARROW}{unit}"


def _time(ms: float, like: float | None = None) -> tuple[str, str]:
    scale = ms if like is None else like
    if scale < 1000:
        return wording.decimal(ms, 0 if scale >= 10 else 1), "ms"
    return wording.decimal(ms / 1000, 2 if scale < 100_000 else 0), "s"


def shown_time(found: Found) -> Shown:
    """A latency in words, its interval in the same unit."""
    base = shown(found, "coefficient", "requests")
    if isinstance(found, Undefined):
        return base
    interval = ""
    if found.low is not None and found.high is not None:
        low, high = (_time(end, found.value)[0] for end in (found.low, found.high))
        interval = f"{low} to {high}"
    return replace(base, value=time_words(found.value), interval=interval)


def shown_tokens(found: Found) -> Shown:
    """Tokens of an answer in words."""
    base = shown(found, "coefficient", "answers")
    if isinstance(found, Undefined):
        return base
    digits = 0 if found.value >= 100 else 1
    interval = ""
    if found.low is not None and found.high is not None:
        low, high = (wording.decimal(end, digits) for end in (found.low, found.high))
        interval = f"{low} to {high}"
    return replace(base, value=wording.decimal(found.value, digits), interval=interval)


def left_out(found: Comparison) -> str:
    """Which requests no latency was taken from."""
    kinds = {
        "retried": sum(facts.retried for facts in found.facts),
        "from a cache": sum(facts.cached for facts in found.facts),
        "failed": sum(facts.errors for facts in found.facts),
        "not measured": sum(facts.unmeasured for facts in found.facts),
    }
    told = [f"{wording.count(count)} {kind}" for kind, count in kinds.items() if count]
    return f"Left out: {', '.join(told)}." if told else ""


def in_turns(found: Comparison) -> str:
    """Whether both systems met the same network at the same time."""
    if not sum(found.speed.n):
        return ""
    if found.speed.is_interleaved:
        return "Requests of both systems were sent in turns."
    return "The two were not asked in turns: network and load may differ between the runs."


def p99_words(found: Comparison) -> str:
    more = found.speed.more_for_p99
    if not more or not sum(found.speed.n):
        return ""
    return (
        f"No verdict on p99: the smaller side has {wording.counted(min(found.speed.n), 'requests')}"
        f", {wording.count(more)} too few."
    )


def run_words(run: Run) -> str:
    """ "run 4 (fern-2, imported)"."""
    told = [run.model] if run.model else []
    if run.source == Run.Source.IMPORTED:
        told.append("imported")
    return f"run {run.number}" + (f" ({', '.join(told)})" if told else "")


def ended_words(run: Run) -> str:
    return day_words(run.ended_at.date()) if run.ended_at else ""


def staleness(pair: RunPair) -> list[str]:
    """What has happened since these runs: newer versions of the suite, newer runs not used."""
    told = []
    if pair.newest_version > pair.suite.version:
        told.append(
            f"Version {pair.newest_version} of the suite has not been answered by both systems yet."
        )
    states = {"running": "is under way", "done": "is finished but not part of this comparison"}
    for run in list(pair.newer)[:3]:
        state = states.get(run.state, f"was {run.get_state_display().lower()}")
        told.append(f"Run {run.number} of the {run.system} (v{run.suite.version}) {state}.")
    if len(pair.newer) > 3:
        told.append(f"{many(len(pair.newer) - 3, 'runs').capitalize()} more are newer, too.")
    return told


def least_words(group: Group) -> str:
    """What a perfect score still leaves open: "100 % of 20 means at least 86.1 % at 95 %"."""
    if not group.least:
        return ""
    who = " and ".join(f"the {system}" for system in group.least)
    least = wording.percent_at_least(next(iter(group.least.values())))
    return (
        f"{wording.sentence(who)[:-1]} passed all {wording.count(group.n)}: "
        f"at least {least} at {level(group.confidence)}."
    )
