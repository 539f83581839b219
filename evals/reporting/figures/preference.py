"""Win rates and outcomes, overall, by criterion and by category."""

from collections.abc import Sequence
from functools import partial

from evals import queries
from evals.figures import Figure, NoFigure
from evals.figures import preferences as charts
from evals.figures.figure import Size
from evals.figures.preferences import Outcome, Rate
from evals.figures.themes import Theme
from evals.reporting.figures.asked import Asked, interval
from evals.reporting.report import category_tallies, criterion_tallies
from evals.reporting.tested import Part, parts_of
from evals.stats import wording
from evals.stats.estimates import Estimate
from evals.tallies import Tally

NOBODY = "nobody has judged yet"
HOW = {"half": "wins plus half of ties", "decided": "wins among decided judgements"}
MOST_ROWS = 30


def _tables(asked: Asked) -> list[dict[str, Tally]]:
    """All judgements, the criteria, the categories, each by a name that is there once."""
    votes = queries.sided_votes(asked.study, asked.only)
    criteria = criterion_tallies(asked.study, asked.only)
    categories = category_tallies(asked.study, votes)
    taken = {"Overall", *criteria}
    named = {name or "No category": tally for name, tally in categories.items()}
    return [
        {"Overall": votes.overall},
        criteria,
        {f"{name} (category)" if name in taken else name: tally for name, tally in named.items()}
        if len(categories) > 1
        else {},
    ]


def win_rates(asked: Asked) -> Figure | NoFigure:
    """A forest plot."""
    title = "Win rates by criterion and category"
    parts = [
        part
        for table in _tables(asked)
        for part in parts_of(
            {name: one.preferred(asked.confidence, asked.ties) for name, one in table.items()}
        )
    ]
    rates = [
        Rate(part.name, rate.n, rate.value, rate.low, rate.high)
        for part in parts
        if isinstance(rate := part.rate, Estimate)
    ]
    if not rates:
        return NoFigure("win-rates", title, NOBODY)

    def build(theme: Theme, size: Size) -> charts.Chart:
        return charts.forest(rates[:MOST_ROWS], asked.threshold, theme, size)

    return Figure(
        "win-rates",
        title,
        _in_words(rates[0], parts),
        ("Question", "Win rate", "Interval", "Judgements"),
        [
            (rate.name, wording.percent(rate.value), interval(rate.low, rate.high), str(rate.n))
            for rate in rates
        ],
        build,
        f"Win rate: {HOW[asked.ties]}. Intervals at {asked.level}, each on its own; a "
        "row is called above or below one half if its test, corrected by Holm over its table, says "
        "so too. The dashed line is no preference, the other one the gate.",
    )


def _in_words(first: Rate, parts: Sequence[Part]) -> str:
    said = [f"{first.name}: {wording.percent(first.value)}, {interval(first.low, first.high)}."]
    above = [part.name for part in parts if part.place == "ahead"]
    below = [part.name for part in parts if part.place == "behind"]
    said += [f"Above one half: {', '.join(above)}." if above else "None is above one half."]
    said += [f"Below one half: {', '.join(below)}."] if below else []
    return " ".join(said)


def outcomes(asked: Asked) -> Figure | NoFigure:
    """Stacked shares of wins, ties, both bad and losses."""
    title = "Wins, ties and losses"
    bars = [
        Outcome(name, tally.wins, tally.plain_ties, tally.both_bad, tally.losses)
        for table in _tables(asked)
        for name, tally in table.items()
        if tally.n
    ]
    if not bars:
        return NoFigure("outcomes", title, NOBODY)
    first = bars[0]
    return Figure(
        "outcomes",
        title,
        f"{first.name}: {first.wins} judgements for the candidate, {first.ties} ties, "
        f"{first.both_bad} both bad, {first.losses} for the baseline.",
        ("Question", "Candidate", "Tie", "Both bad", "Baseline"),
        [(b.name, str(b.wins), str(b.ties), str(b.both_bad), str(b.losses)) for b in bars],
        partial(charts.outcomes, bars[:MOST_ROWS]),
    )
