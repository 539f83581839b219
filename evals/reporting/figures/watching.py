"""The win rate while the study runs: looking every day must not raise the error."""

from evals import queries
from evals.figures import Figure, NoFigure
from evals.figures import preferences as charts
from evals.figures.figure import Size
from evals.figures.themes import Theme
from evals.queries import looks as seen
from evals.reporting.figures.asked import Asked, interval
from evals.reporting.watching import Whose, looked, too_few, whose
from evals.stats import wording
from evals.tallies import Ties

TABLE_ROWS = 25
SCORED: dict[Ties, str] = {
    "half": "(a win 1, a tie one half)",
    "decided": "(wins among its decided judgements, as the policy says; an item of ties alone has "
    "none, and items count alike, so it is not quite the win rate of all judgements)",
}
METHOD = (
    "Mean of item scores {scored}; an item enters when its planned judgements are complete, and "
    "{whose}. Dark: the {level} interval for who looks once, at the end. Light: the {level} "
    "confidence sequence (betting; Waudby-Smith and Ramdas, 2024), which stays true for who looks "
    "after every judgement and stops when they like."
)
LIKE_THESE = (
    "both intervals are for annotators like these {people}: what is known today of how far they "
    "differ is in all of them"
)
THESE = "both intervals are for these annotators ({people})"


def watched(asked: Asked) -> Figure | NoFigure:
    """Both intervals along the items."""
    title = "The win rate as items were judged"
    tally = queries.sided_votes(asked.study, asked.only).overall
    who = whose(tally, asked.confidence, asked.ties)
    points = looked(_seen(asked), who, asked.confidence)
    if not points:
        return NoFigure("watched", title, too_few(asked.ties))
    last = points[-1]

    def build(theme: Theme, size: Size) -> charts.Chart:
        return charts.over_time(points, asked.threshold, theme, size)

    return Figure(
        "watched",
        title,
        f"After {wording.counted(last.n, 'items')} the mean is {wording.percent(last.value)}. "
        f"Looking once: {interval(last.low, last.high)}. Looking as often as one likes: "
        f"{interval(last.always_low, last.always_high)}.",
        ("Items", "Win rate", "Looking once", "Looking always"),
        [
            (
                str(look.n),
                wording.percent(look.value),
                interval(look.low, look.high),
                interval(look.always_low, look.always_high),
            )
            for look in points[:: -max(1, len(points) // TABLE_ROWS)][::-1]
        ],
        build,
        METHOD.format(level=asked.level, scored=SCORED[asked.ties], whose=_words(who)),
    )


def _words(who: Whose) -> str:
    return (THESE if who.margin is None else LIKE_THESE).format(people=who.people)


def _seen(asked: Asked) -> list[seen.Look]:
    return seen.looks(asked.study, asked.only, asked.ties)
