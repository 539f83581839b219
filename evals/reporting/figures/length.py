"""How often the candidate is chosen, by how long its output is beside the baseline's."""

from functools import partial

import numpy as np

from evals import queries
from evals.figures import Figure, NoFigure
from evals.figures.measures import Bin, shares_by_bin
from evals.reporting.figures.asked import Asked, bin_row, bin_words
from evals.stats.checks import Ints
from evals.stats.concordance import mean_of_counts
from evals.stats.estimates import Undefined, attempt
from evals.stats.length import length_fit

TITLE = "Length against preference"
# Of the bins between `evals.queries.length.RATIOS`.
NAMES = (
    "below 0.25 ×",
    "0.25 to 0.5 ×",
    "0.5 to 0.8 ×",
    "0.8 to 0.95 ×",
    "about as long",
    "1.05 to 1.25 ×",
    "1.25 to 2 ×",
    "2 to 4 ×",
    "4 × or more",
)
HEADER = ("Candidate’s length beside the baseline’s", "Candidate chosen", "Interval", "Items")
METHOD = (
    "Rows: how many times as long as the baseline’s output the candidate’s is, in characters, and "
    "in brackets how many items (“about as long”: within 5 %). An item is one observation: the "
    "share of its decided judgements that chose the candidate, averaged over items; "
    "Clopper-Pearson intervals at {level}, each on its own. The dashed line is no preference. "
    "Where rows climb from top to bottom, people chose the longer output more often; that may be "
    "the better one."
)


def by_length(asked: Asked) -> Figure | NoFigure:
    """Shares by ratio of lengths, where the diagnostic of length has an answer."""
    votes = queries.length_votes(asked.study, asked.only)
    fit = length_fit(votes.rows, asked.confidence)
    if isinstance(fit.at_equal, Undefined):
        return NoFigure("length", TITLE, fit.at_equal.reason)
    bins = [
        _bin(name, rows, asked.confidence)
        for name, rows in zip(NAMES, votes.by_ratio, strict=True)
        if rows.size
    ]
    return Figure(
        "length",
        TITLE,
        bin_words(bins),
        HEADER,
        [bin_row(one) for one in bins],
        partial(shares_by_bin, bins, "candidate chosen, of decided"),
        METHOD.format(level=asked.level),
    )


def _bin(name: str, rows: Ints, confidence: float) -> Bin:
    """Rows of losses, ties, wins and how many items have just these; none is without a side."""
    shares, times = rows[:, 2] / (rows[:, 0] + rows[:, 2]), rows[:, 3]
    found = attempt(mean_of_counts, shares, times, confidence)
    if isinstance(found, Undefined):
        return Bin(name, int(times.sum()), float(np.average(shares, weights=times)), None, None)
    return Bin(name, found.n, found.value, found.low, found.high)
