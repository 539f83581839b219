"""What people say of items, by how far a metric leans to the candidate."""

from functools import partial

from evals.figures import Figure, NoFigure
from evals.figures.measures import Bin, shares_by_bin
from evals.queries.metrics import Leaning
from evals.reporting.figures.asked import Asked, bin_row, bin_words
from evals.reporting.metrics import FEW, Measured, difference_words, ranked
from evals.reporting.model_judges import all_leanings
from evals.stats import concordance, wording

TITLE = "What people say, by how far a metric leans"
# Parts on either side of no difference, and the items that each keeps.
MOST, LEAST = 4, 8
METHOD = (
    "Rows: score of the candidate minus score of the baseline{unit}, and in brackets how many "
    "items. An item is one observation: its votes for the candidate count 1, ties ½; averaged over "
    "its votes and then over items; Clopper-Pearson intervals at {level}, each on its own. Either "
    "side of 0 is cut at quantiles into at most {most} parts of {least} items or more. The dashed "
    "line is no preference. A metric that knows what people want climbs from top to bottom."
)
UNITS = {"length": ", in characters"}


def calibration(asked: Asked) -> Figure | NoFigure:
    """The share for the candidate along the metric that is asked for, or along the best."""
    measured = ranked(all_leanings(asked.study, asked.only), asked.confidence)
    one = next((one for one in measured if asked.metric in ("", one.slug)), None)
    if one is None:
        reason = f"no metric called “{asked.metric}” speaks of items that people have judged"
        nothing = "no metric speaks of items that people have judged"
        return NoFigure("calibration", TITLE, reason if asked.metric else nothing)
    title = f"What people say, by how far {one.title} leans"
    items = one.leaning.items.size
    if items < FEW:
        judged = wording.counted(items, "judged items")
        return NoFigure("calibration", title, f"it speaks of {judged}, and {FEW} are needed")
    return _drawn(asked, one, title)


def _drawn(asked: Asked, one: Measured, title: str) -> Figure:
    bins = _bins(one.leaning, asked.confidence)
    return Figure(
        "calibration",
        title,
        bin_words(bins),
        ("Difference of scores", "For the candidate", "Interval", "Items"),
        [bin_row(each) for each in bins],
        partial(shares_by_bin, bins, "people’s share for the candidate"),
        METHOD.format(
            unit=UNITS.get(one.leaning.name, ""), level=asked.level, most=MOST, least=LEAST
        ),
    )


def _bins(leaning: Leaning, confidence: float) -> list[Bin]:
    metric, people = leaning.metric, leaning.people
    found = concordance.calibration(metric, people, confidence, most=MOST, least=LEAST)
    bins: dict[str, Bin] = {}
    for part in found:
        name = _name(difference_words(part, leaning.name), bins)
        value, low, high = part.mean, None, None
        if part.people:
            value, low, high = part.people.value, part.people.low, part.people.high
        bins[name] = Bin(name, part.n, value, low, high)
    return list(bins.values())


def _name(name: str, taken: dict[str, Bin]) -> str:
    """Two ranges may read alike once their ends are rounded."""
    return name if name not in taken else _name(f"{name}, further", taken)
