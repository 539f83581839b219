"""Win rates and outcomes, overall, by criterion and by category."""

from collections.abc import Iterator, Sequence
from functools import partial

from evals import queries
from evals.figures import Figure, NoFigure
from evals.figures import preferences as charts
from evals.figures.figure import Size
from evals.figures.preferences import Outcome, Rate
from evals.figures.themes import Theme
from evals.reporting.figures.asked import Asked, interval
from evals.reporting.report import category_tallies, criterion_tallies
from evals.stats import wording
from evals.stats.estimates import Estimate
from evals.tallies import Tally

NOBODY = "nobody has judged yet"
HOW = {"half": "wins plus half of ties", "decided": "wins among decided judgements"}
MOST_ROWS = 30


def _tallies(asked: Asked) -> Iterator[tuple[str, Tally]]:
    """Everything that was asked, by a name that is there once."""
    votes = queries.sided_votes(asked.study, asked.only)
    yield "Overall", votes.overall
    criteria = criterion_tallies(asked.study, asked.only)
    yield from criteria.items()
    categories = category_tallies(asked.study, votes)
    if len(categories) > 1:
        for name, tally in categories.items():
            told = name or "No category"
            yield f"{told} (category)" if told in {"Overall", *criteria} else told, tally


def win_rates(asked: Asked) -> Figure | NoFigure:
    """A forest plot."""
    title = "Win rates by criterion and category"
    rates = []
    for name, tally in _tallies(asked):
        rate = tally.preferred(asked.confidence, asked.ties)
        if isinstance(rate, Estimate):
            rates.append(Rate(name, rate.n, rate.value, rate.low, rate.high))
    if not rates:
        return NoFigure("win-rates", title, NOBODY)

    def build(theme: Theme, size: Size) -> charts.Chart:
        return charts.forest(rates[:MOST_ROWS], asked.threshold, theme, size)

    return Figure(
        "win-rates",
        title,
        _in_words(rates),
        ("Question", "Win rate", "Interval", "Judgements"),
        [
            (rate.name, wording.percent(rate.value), interval(rate.low, rate.high), str(rate.n))
            for rate in rates
        ],
        build,
        f"Win rate: {HOW[asked.ties]}. Intervals at {asked.level}, each on its own. The "
        "dashed line is no preference, the other one the gate.",
    )


def _in_words(rates: Sequence[Rate]) -> str:
    first = rates[0]
    said = [f"{first.name}: {wording.percent(first.value)}, {interval(first.low, first.high)}."]
    above = [rate.name for rate in rates if rate.low is not None and rate.low > 0.5]
    below = [rate.name for rate in rates if rate.high is not None and rate.high < 0.5]
    said += [f"Above one half: {', '.join(above)}." if above else "None is above one half."]
    said += [f"Below one half: {', '.join(below)}."] if below else []
    return " ".join(said)


def outcomes(asked: Asked) -> Figure | NoFigure:
    """Stacked shares of wins, ties, both bad and losses."""
    title = "Wins, ties and losses"
    bars = [
        Outcome(name, tally.wins, tally.plain_ties, tally.both_bad, tally.losses)
        for name, tally in _tallies(asked)
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
