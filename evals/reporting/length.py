"""Was the longer output favoured? A diagnostic that stands beside the raw figure."""

from dataclasses import dataclass

from evals import queries
from evals.reporting.numbers import Shown, shown
from evals.stats import wording
from evals.stats.estimates import Estimate, Json, Undefined
from evals.stats.length import LengthFit, length_fit
from evals.tallies import share_method

LONGER_WINS = "share of decided judgements for the longer output"
NO_DIFFERENCE = "no decided judgement is of outputs of different length"


@dataclass(frozen=True, slots=True)
class Length:
    """What a page shows of it.

    Attributes
    ----------
    said : str
        Whether the longer output was favoured, by where the interval of its share lies.
    longer, equal : Shown
        Share of decided judgements for the longer output; win rate at equal length.
    caution : str
        How to read the difference to the raw figure.
    """

    said: str
    longer: Shown
    equal: Shown
    caution: str


def length(votes: queries.LengthVotes, confidence: float) -> Length:
    share, fit = longer_share(votes, confidence), length_fit(votes.rows, confidence)
    return Length(
        said=_said(share),
        longer=shown(share, word="decided judgements"),
        equal=shown(fit.at_equal, word="decided judgements"),
        caution=_caution(fit),
    )


def longer_share(votes: queries.LengthVotes, confidence: float) -> Estimate | Undefined:
    if votes.longer.n == 0:
        return Undefined(NO_DIFFERENCE)
    return share_method(votes.longer.win_rate(confidence), LONGER_WINS)


def length_json(votes: queries.LengthVotes, confidence: float) -> dict[str, Json | float]:
    """The same for scripts."""
    fit = length_fit(votes.rows, confidence)
    return {
        "longer_wins": longer_share(votes, confidence).as_json(),
        "win_rate_equal_length": fit.at_equal.as_json(),
        "slope": fit.slope.as_json(),
        "overlap": fit.overlap,
    }


def _said(share: Estimate | Undefined) -> str:
    if isinstance(share, Undefined):
        return f"It cannot be told: {share.reason}."
    if share.low is None or share.high is None:
        return "It cannot be told without an interval."
    of = f"{wording.percent(share.value)} of {wording.counted(share.n, 'decided judgements')}"
    if share.low > 0.5:
        return f"The longer output was chosen in {of}; 50\u202f% lies below the interval."
    if share.high < 0.5:
        return f"The shorter output was favoured: the longer one was chosen in only {of}."
    return f"No sign of it. The longer output was chosen in {of}; 50\u202f% lies in the interval."


def _caution(fit: LengthFit) -> str:
    if isinstance(fit.at_equal, Undefined):
        return ""
    return (
        f"In {wording.percent(fit.overlap, 0)} of {wording.counted(fit.items, 'items')} the system "
        "that is mostly shorter has the longer output. A longer answer may be the better one: "
        "this tells how the preference goes with length, not what it would be without it."
    )
