"""What a judge's run amounts to beside people: agreement, may it replace them, the win rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotate.models import User
from evals.queries.judged import Judged, judged_items
from evals.queries.votes import Source
from evals.reporting.model_judges import JudgeRun
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.judge_standing import (
    EPSILON,
    kappa_gap,
    lean_gap,
    may_replace,
    on_shared_items,
    pooled_kappa,
)
from evals.stats.judged_items import JudgedItems
from evals.stats.judged_rates import people_alone, with_the_judge, worth
from evals.stats.judges import AlternativeAnnotator, AnnotatorTest, PoweredMean
from evals.stats.kappa import WEIGHTS, kappa_pairs, percent_pairs
from evals.tallies import CATEGORIES, Ties

Number = Estimate | Undefined
LABELS = tuple(f"the {name}" if name != "tie" else "a tie" for name in CATEGORIES)
ELSEWHERE = (
    "judgements made elsewhere are counted, and nobody knows whether their items were drawn at "
    "random; blind ones alone can be combined"
)
ONE_SHARED_MISSING = "no item has been judged by two people"


@dataclass(frozen=True)
class Agreement:
    """How far two agree: the share of items, and kappa by each weighting."""

    percent: Number
    kappas: Mapping[str, Number]


@dataclass(frozen=True)
class Beside:
    """One annotator: with the judge, with the other people, and held with both in the test."""

    annotator: User
    with_judge: Agreement
    with_others: Number
    tested: AnnotatorTest | None


@dataclass(frozen=True)
class Combined:
    """The candidate's win rate by people alone, and by people and judge together.

    Attributes
    ----------
    powered : PoweredMean or Undefined
        Undefined, with the reason, unless the judge may replace people.
    worth : float or None
        Judged items that one judged item counts for.
    drift : Estimate or Undefined
        The judge's mean verdict on the judged items minus that on the others.
    ties : {"half", "decided"}
        How both rates count ties: as the policy of the study does.
    """

    alone: Number
    powered: PoweredMean | Undefined
    worth: float | None
    drift: Number
    ties: Ties


@dataclass(frozen=True)
class Standing:
    """A judge's run beside people.

    Attributes
    ----------
    majority, undecided : Agreement, int
        With what most people say; items on which no strict majority is.
    with_people, among_people, gap : Estimate or Undefined
        Pooled kappas on the items that two or more people judged: the judge with each
        annotator, people with each other, and the difference.
    beside : sequence of Beside
        By name; annotators who judged none of the judge's items are not among them.
    test : AlternativeAnnotator or Undefined
    """

    judge: JudgeRun
    judged: Judged
    epsilon: float
    majority: Agreement
    undecided: int
    with_people: Number
    among_people: Number
    gap: Number
    beside: Sequence[Beside]
    test: AlternativeAnnotator | Undefined
    combined: Combined

    @property
    def passes(self) -> bool:
        return isinstance(self.test, AlternativeAnnotator) and self.test.passes


def standing(
    judge: JudgeRun,
    *,
    epsilon: float = EPSILON,
    only: Source | None = None,
    confidence: float = 0.95,
    ties: Ties = "half",
) -> Standing:
    """Hold a judge's run against the people who judged the same items.

    Win rates count ties by `ties`; agreement and the test take a tie for an answer like others.
    """
    judged = judged_items(judge.run, judge.made, only)
    items = judged.items
    test = attempt(may_replace, items, epsilon)
    (majority,) = _agreements(items.majority_table[None], confidence)
    return Standing(
        judge=judge,
        judged=judged,
        epsilon=epsilon,
        majority=majority,
        undecided=items.undecided,
        with_people=_pooled(items, confidence, among=False),
        among_people=_pooled(items, confidence, among=True),
        gap=attempt(kappa_gap, items, confidence=confidence),
        beside=_beside(judged, test, confidence),
        test=test,
        combined=_combined(judged, test, confidence, ties),
    )


def _pooled(items: JudgedItems, confidence: float, *, among: bool) -> Number:
    if not items.shared.size:
        return Undefined(ONE_SHARED_MISSING)
    pairs = items.among_people if among else on_shared_items(items)
    return attempt(pooled_kappa, pairs, confidence=confidence)


def _agreements(tables: Ints, confidence: float) -> list[Agreement]:
    kappas = {
        weights: kappa_pairs(tables, weights, labels=LABELS, confidence=confidence)
        for weights in WEIGHTS
    }
    percent = percent_pairs(tables, confidence=confidence)
    return [
        Agreement(percent[n], {weights: found[n] for weights, found in kappas.items()})
        for n in range(len(tables))
    ]


def _beside(
    judged: Judged, test: AlternativeAnnotator | Undefined, confidence: float
) -> list[Beside]:
    items = judged.items
    present, _ = items.with_judge.present
    if not present.size:
        return []
    rows = test.tested if isinstance(test, AlternativeAnnotator) else ()
    tested = {one.annotator: one for one in rows}
    agreements = _agreements(items.with_judge.tables(), confidence)
    found = [
        Beside(
            judged.annotators[number], agreement,
            _with_others(items, number, confidence), tested.get(number),
        )
        for number, agreement in zip(present.tolist(), agreements, strict=True)
    ]  # fmt: skip
    return sorted(found, key=lambda one: (str(one.annotator), one.annotator.pk))


def _with_others(items: JudgedItems, number: int, confidence: float) -> Number:
    pairs = items.among_people
    mine = pairs.where(
        (pairs.name // items.annotators == number) | (pairs.name % items.annotators == number)
    )
    if not mine.row.size:
        return Undefined("nobody else has judged the same items")
    return attempt(pooled_kappa, mine, confidence=confidence)


def _combined(
    judged: Judged, test: AlternativeAnnotator | Undefined, confidence: float, ties: Ties
) -> Combined:
    items, without = judged.items, ties == "decided"
    alone = attempt(people_alone, items, confidence, without_ties=without)
    drift = attempt(lean_gap, items, confidence)
    if reason := _withheld(judged, test):
        return Combined(alone, Undefined(reason, items.labelled), None, drift, ties)
    powered = attempt(with_the_judge, items, confidence, without_ties=without)
    gained = (
        worth(alone, powered)
        if isinstance(alone, Estimate) and isinstance(powered, PoweredMean)
        else None
    )
    return Combined(alone, powered, gained, drift, ties)


def _withheld(judged: Judged, test: AlternativeAnnotator | Undefined) -> str:
    """Why the judge may not help to measure what people prefer; empty where it may."""
    if isinstance(test, Undefined):
        return f"the judge has not passed the alternative annotator test: {test.reason}"
    if not test.passes:
        replaced = sum(one.is_replaceable for one in test.tested)
        return (
            "the judge has not passed the alternative annotator test: it may stand in for "
            f"{replaced} of {len(test.tested)} annotators, and at least half are needed"
        )
    return ELSEWHERE if judged.imported else ""
