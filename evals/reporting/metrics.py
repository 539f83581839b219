"""The page of metrics: which automated score leans where people do, on the same items."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from django.utils.text import slugify

from evals.charts import Axis, Strip, share_axis, share_ticks, strip
from evals.charts import Tick as AxisTick
from evals.queries.metrics import Leaning
from evals.reporting.numbers import Shown, listed, many, shown
from evals.stats import wording
from evals.stats.checks import Floats
from evals.stats.concordance import (
    Bin,
    agreement_gap,
    calibration,
    separation,
    side_agreement,
)
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.histograms import codes_of

# With fewer items an interval is too wide to rank by.
FEW = 20
TITLES = {"length": "length", "reference": "equality with the reference"}
TOLD = {
    "length": "the longer output, in characters",
    "reference": "of uploaded items that have one",
}
NOTHING = "No automated score can be held against people yet"


@dataclass(frozen=True, slots=True)
class BinRow:
    """Items on which a metric leans about alike: "−0.40 to −0.12"."""

    difference: str
    n: str
    people: Shown
    strip: Strip


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric: how often it takes people's side, and how far it stands from the best.

    `slug` names it in addresses.
    """

    slug: str
    title: str
    told: str
    items: str
    tied: str
    agreement: Shown
    separation: Shown
    strip: Strip
    apart: str
    is_few: bool
    bins: Sequence[BinRow]


@dataclass(frozen=True, slots=True)
class Metrics:
    """Everything on the page."""

    finding: str
    lede: str
    rows: Sequence[MetricRow] = ()
    ticks: Sequence[AxisTick] = ()
    bin_ticks: Sequence[AxisTick] = ()
    compared: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric that is held against people, and how far it stands from the best."""

    leaning: Leaning
    slug: str
    title: str
    agreement: Estimate | Undefined
    gap: Estimate | Undefined | None = None

    @property
    def value(self) -> float:
        return self.agreement.value if isinstance(self.agreement, Estimate) else -1.0

    @property
    def is_few(self) -> bool:
        return int((self.leaning.people != 0).sum()) < FEW

    @property
    def is_apart(self) -> bool:
        """Whether the best takes people's side more often, beyond chance."""
        gap = self.gap
        return isinstance(gap, Estimate) and gap.low is not None and gap.low > 0


def metrics(leanings: Sequence[Leaning], confidence: float) -> Metrics:
    """Rank the metrics by how often they take the side that people take."""
    measured = ranked(leanings, confidence)
    if not any(isinstance(one.agreement, Estimate) for one in measured):
        return Metrics(NOTHING, _what_to_do(leanings))
    axis = share_axis([one.agreement for one in measured])
    rows = [_row(one, axis, confidence) for one in measured]
    others = sum(one.gap is not None for one in measured)
    compared = f"{many(others, 'comparisons')} with the best" if others else ""
    return Metrics(
        _finding(measured),
        _lede(measured),
        rows,
        share_ticks(axis),
        share_ticks(Axis(0.0, 1.0)),
        compared,
    )


def _what_to_do(leanings: Sequence[Leaning]) -> str:
    if not leanings:
        return "It takes items that people have judged; their answers may come from two runs."
    return "On fewer than two items did people take a side: there is nothing to agree with yet."


def ranked(leanings: Sequence[Leaning], confidence: float) -> list[Measured]:
    """The best first; each further one with its distance from the best."""
    found = [
        Measured(
            leaning,
            slug,
            _title(leaning, leanings),
            attempt(side_agreement, leaning.metric, leaning.people, confidence),
        )
        for leaning, slug in zip(leanings, _slugs(leanings), strict=True)
    ]
    # A lucky streak on few items is no measure for the others.
    found.sort(key=lambda one: (one.is_few, -one.value, one.title))
    if len(found) < 2:
        return found
    # The best was found by looking at all of them: each comparison has its share of the error.
    level = 1 - (1 - confidence) / (len(found) - 1)
    best = found[0]
    return [best, *(_with_gap(best, one, level) for one in found[1:])]


def _with_gap(best: Measured, other: Measured, level: float) -> Measured:
    gap = attempt(agreement_gap, *_shared(best.leaning, other.leaning), level)
    return replace(other, gap=gap)


def _shared(first: Leaning, second: Leaning) -> tuple[Floats, Floats, Floats]:
    """Both metrics and people on the items that both have scored."""
    _, one, two = np.intersect1d(first.items, second.items, assume_unique=True, return_indices=True)
    return first.metric[one], second.metric[two], first.people[one]


def _title(leaning: Leaning, among: Sequence[Leaning]) -> str:
    name = TITLES.get(leaning.name, leaning.name)
    if leaning.own and any(one.name == leaning.name and one is not leaning for one in among):
        return f"{name}, the cases’ own"
    return name


def _slugs(leanings: Sequence[Leaning]) -> list[str]:
    """How addresses name metrics: by title, with a part of the signature where titles are alike."""
    plain = [slugify(_title(leaning, leanings)) or "metric" for leaning in leanings]
    found: list[str] = []
    for slug, leaning in zip(plain, leanings, strict=True):
        if plain.count(slug) > 1:
            slug = f"{slug}-{hashlib.sha256(leaning.signature.encode()).hexdigest()[:8]}"
        found.append(slug)
    return found


def _finding(measured: Sequence[Measured]) -> str:
    best = measured[0]
    if isinstance(best.agreement, Undefined):
        return NOTHING
    rate, title = wording.percent(best.agreement.value), _capital(best.title)
    if best.agreement.low is None or best.agreement.low <= 0.5:
        if len(measured) == 1:
            return f"{title} cannot be told from a coin: it takes people’s side in {rate}"
        return f"No metric is surely better than a coin: {best.title} takes people’s side in {rate}"
    close = [one.title for one in measured[1:] if one.gap is not None and not one.is_apart]
    if close:
        return f"{title} agrees most with people, but cannot be told apart from {listed(close)}"
    if len(measured) == 1:
        return f"{title} takes people’s side in {rate} of items"
    return f"{title} agrees most with people: it takes their side in {rate} of items"


def _capital(title: str) -> str:
    """Names of scorers stay as they are spelled; "model judge" is our own word."""
    is_word = title in TITLES.values() or title.startswith("model judge")
    return title[:1].upper() + title[1:] if is_word else title


def _lede(measured: Sequence[Measured]) -> str:
    judged, sided = (
        len(codes_of(np.concatenate(items))[0])
        for items in (
            [one.leaning.items for one in measured],
            [one.leaning.items[one.leaning.people != 0] for one in measured],
        )
    )
    return (
        f"People have judged {wording.counted(judged, 'items')} that a metric speaks of, and "
        f"took a side on {wording.count(sided)} of them. A metric takes a side where it "
        "scores one output higher."
    )


def _row(one: Measured, axis: Axis, confidence: float) -> MetricRow:
    leaning = one.leaning
    tied = int(((leaning.people != 0) & (leaning.metric == 0)).sum())
    return MetricRow(
        one.slug,
        one.title,
        TOLD.get(leaning.name, leaning.signature),
        wording.count(leaning.items.size),
        wording.count(tied),
        shown(one.agreement, "share", "items"),
        shown(attempt(separation, leaning.metric, leaning.people, confidence), "coefficient", ""),
        strip(one.agreement, axis, 0.5),
        _apart(one),
        one.is_few,
        [_bin_row(part, leaning.name) for part in _bins(leaning, confidence)],
    )


def _bins(leaning: Leaning, confidence: float) -> list[Bin]:
    return calibration(leaning.metric, leaning.people, confidence)


def _apart(one: Measured) -> str:
    """ "8.0 points below the best (2.1 to 14.0)", or that this cannot be said."""
    gap = one.gap
    if gap is None:
        return ""
    if isinstance(gap, Undefined):
        return "no item in common with the best"
    if not one.is_apart:
        return "not told apart from the best"
    points = f"{wording.decimal(100 * gap.value)}{wording.NARROW}points"
    return f"{points} below the best, {wording.interval(gap.low, gap.high, 'points')}"


def _bin_row(part: Bin, name: str) -> BinRow:
    people: Estimate | Undefined = part.people or Undefined("a single item", part.n)
    return BinRow(
        difference_words(part, name),
        wording.count(part.n),
        shown(people, "share", ""),
        strip(people, Axis(0.0, 1.0), 0.5),
    )


def difference_words(part: Bin, name: str) -> str:
    """ "−0.40 to −0.12": the differences of scores that lie in it."""
    digits = 0 if name == "length" else 2
    ends = [wording.decimal(end, digits, sign=True) for end in (part.low, part.high)]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
