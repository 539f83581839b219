"""Judges on the page of metrics: findings in words, intervals on axes."""

from collections.abc import Sequence
from dataclasses import dataclass

from evals.charts import Axis, Strip, Tick, share_axis, share_ticks, strip
from evals.reporting.compared import p_words
from evals.reporting.judging import Beside, Number, Standing
from evals.reporting.judging_answer import RATE_OF
from evals.reporting.numbers import Shown, in_words, many, shown
from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined
from evals.stats.judges import AnnotatorTest, PoweredMean
from evals.tallies import Ties

# With fewer items a kappa is shown in grey, as on the page of agreement.
FEW = 20
NOBODY = "nobody has judged yet what it judged"
JUDGED: dict[Ties, str] = {
    "half": "items that people judged",
    "decided": "items with a decided judgement",
}


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """Who with whom: "The judge with what most people say"."""

    who: str
    told: str
    kappa: Shown
    linear: Shown | None
    quadratic: Shown | None
    percent: Shown | None
    strip: Strip

    @property
    def is_few(self) -> bool:
        return self.kappa.estimate is not None and self.kappa.estimate.n < FEW


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One annotator beside the judge and beside the other people."""

    who: str
    items: str
    kappa: Shown
    linear: Shown
    quadratic: Shown
    percent: Shown
    others: Shown
    is_few: bool


@dataclass(frozen=True, slots=True)
class ReplacedRow:
    """One annotator in the alternative annotator test."""

    who: str
    items: str
    judge: str
    human: str
    p_value: str
    verdict: str


@dataclass(frozen=True, slots=True)
class RateRow:
    who: str
    told: str
    rate: Shown
    strip: Strip


@dataclass(frozen=True, slots=True)
class JudgeSection:
    """All that the page says of one judge's run."""

    title: str
    run: int
    batch: int
    signature: str
    finding: str
    lede: str
    agreement: Sequence[AgreementRow]
    ticks: Sequence[Tick]
    gap: str
    people: Sequence[PersonRow]
    test: Sequence[ReplacedRow]
    test_words: str
    rates: Sequence[RateRow]
    rate_ticks: Sequence[Tick]
    rate_title: str
    rate_words: str
    drift: str


def judge_section(found: Standing) -> JudgeSection:
    """Everything that the page says of a judge's run beside people."""
    run = found.judge.run
    axis = _kappa_axis([found.majority.kappas["unweighted"], found.with_people, found.among_people])
    rates = [found.combined.alone, found.combined.powered]
    rate_axis = share_axis(rates)
    judged = found.judged.items.labelled > 0
    return JudgeSection(
        title=run.model or f"run {run.number}",
        run=run.number,
        batch=found.judge.made.batch.number,
        signature=found.judge.signature,
        finding=_finding(found) if judged else NOBODY,
        lede=_lede(found),
        agreement=_agreement_rows(found, axis) if judged else (),
        ticks=_kappa_ticks(axis),
        gap=_gap(found),
        people=[_person_row(one) for one in found.beside],
        test=_replaced_rows(found),
        test_words=_test_words(found),
        rates=_rate_rows(found, rate_axis) if judged else (),
        rate_ticks=share_ticks(rate_axis),
        rate_title=f"Win rate, {RATE_OF[found.combined.ties]}",
        rate_words=_rate_words(found),
        drift=_drift(found),
    )


def _finding(found: Standing) -> str:
    test = found.test
    if isinstance(test, Undefined):
        return "whether it may stand in for people cannot be told yet"
    replaced, of = sum(one.is_replaceable for one in test.tested), len(test.tested)
    if test.passes:
        return f"it may stand in for people; it passes beside {replaced} of {of} annotators"
    return f"it may not stand in for people; it passes beside {replaced} of {of} annotators"


def _lede(found: Standing) -> str:
    items, judged = found.judged.items, found.judged
    told = (
        f"The judge has a verdict on {wording.counted(_all(found), 'items')}; people judged "
        f"{wording.count(items.labelled)} of them."
    )
    if judged.without_verdict:
        lost = wording.count(judged.without_verdict)
        told += f" On {lost} it has none: they are left out everywhere here."
    return told


def _all(found: Standing) -> int:
    items = found.judged.items
    return items.labelled + int(items.unlabelled.sum())


def _agreement_rows(found: Standing, axis: Axis) -> list[AgreementRow]:
    most = found.majority
    kappa = most.kappas["unweighted"]
    told = "more than half of an item’s votes"
    if found.undecided:
        told += f"; {wording.counted(found.undecided, 'items')} without"
    return [
        AgreementRow(
            "The judge with most people", told, _kappa(kappa), _kappa(most.kappas["linear"]),
            _kappa(most.kappas["quadratic"]), shown(most.percent, "share", ""), strip(kappa, axis),
        ),
        AgreementRow(
            "The judge with single people", "each with each vote", _kappa(found.with_people), None,
            None, None, strip(found.with_people, axis),
        ),
        AgreementRow(
            "People with each other", "the same items: the yardstick", _kappa(found.among_people),
            None, None, None, strip(found.among_people, axis),
        ),
    ]  # fmt: skip


def _kappa(number: Number) -> Shown:
    return shown(number, "coefficient", "items")


def _kappa_axis(numbers: Sequence[Number]) -> Axis:
    """From chance to full agreement, or all of it where a kappa lies below chance."""
    lows = [one.low or one.value for one in numbers if isinstance(one, Estimate)]
    return Axis(0.0, 1.0) if min(lows, default=0.0) >= 0 else Axis(-1.0, 1.0)


def _kappa_ticks(axis: Axis) -> list[Tick]:
    steps = (0.25, 0.5, 0.75) if axis.low == 0 else (-0.5, 0.0, 0.5)
    return [Tick(axis.at(step), wording.coefficient(step), step == steps[1]) for step in steps]


def _gap(found: Standing) -> str:
    """ "The judge agrees with people less than they do with each other: κ lower by 0.39 …"."""
    gap = found.gap
    if isinstance(gap, Undefined) or gap.low is None or gap.high is None:
        return ""
    if gap.n < FEW:
        few = wording.counted(gap.n, "items")
        return f"{few} are too few to tell whether the judge agrees as well as people do."
    ends = wording.interval(gap.low, gap.high, "coefficient")
    if gap.low <= 0 <= gap.high:
        return (
            "Whether the judge agrees with people as well as they do with each other cannot be "
            f"told: the difference of κ is {wording.decimal(gap.value, 2, sign=True)}, {ends}."
        )
    word = "less" if gap.value < 0 else "more"
    return (
        f"The judge agrees with people {word} than they do with each other: the difference of κ "
        f"is {wording.decimal(gap.value, 2, sign=True)}, {ends}."
    )


def _person_row(one: Beside) -> PersonRow:
    agreement = one.with_judge
    n = agreement.percent.n
    return PersonRow(
        str(one.annotator),
        wording.count(n),
        _kappa(agreement.kappas["unweighted"]),
        _kappa(agreement.kappas["linear"]),
        _kappa(agreement.kappas["quadratic"]),
        shown(agreement.percent, "share", ""),
        _kappa(one.with_others),
        n < FEW,
    )


def _replaced_rows(found: Standing) -> list[ReplacedRow]:
    return [
        _replaced_row(str(one.annotator), one.tested)
        for one in found.beside
        if one.tested is not None
    ]


def _replaced_row(who: str, tested: AnnotatorTest) -> ReplacedRow:
    return ReplacedRow(
        who,
        wording.count(tested.n),
        wording.percent(tested.judge),
        wording.percent(tested.human),
        p_words(tested.adjusted),
        "yes" if tested.is_replaceable else "not shown",
    )


def _test_words(found: Standing) -> str:
    test = found.test
    if isinstance(test, Undefined):
        return wording.sentence(f"Not tested: {test.reason}")
    untested = len(found.beside) - len(test.tested)
    replaced = sum(one.is_replaceable for one in test.tested)
    told = (
        f"{'Passed' if test.passes else 'Not passed'}: of {many(len(test.tested), 'annotators')} "
        f"tested the judge may stand in for {_none_or(replaced)}, and at least half are needed. "
        f"On average it is at least as close to the others as the annotator in "
        f"{wording.percent(test.advantage)} of items."
    )
    if untested:
        told += f" {many(untested, 'annotators').capitalize()} judged too few items to be tested."
    return told


def _none_or(count: int) -> str:
    return in_words(count) if count else "none"


def _rate_rows(found: Standing, axis: Axis) -> list[RateRow]:
    combined = found.combined
    rows = [
        RateRow("People alone", JUDGED[combined.ties],
                shown(combined.alone, "share", "items"), strip(combined.alone, axis, 0.5)),
    ]  # fmt: skip
    if isinstance(combined.powered, PoweredMean):
        told = f"and {wording.counted(int(found.judged.items.unlabelled.sum()), 'items')} more"
        rows.append(
            RateRow("People and judge", told, shown(combined.powered, "share", "items"),
                    strip(combined.powered, axis, 0.5))
        )  # fmt: skip
    return rows


def _rate_words(found: Standing) -> str:
    powered, worth = found.combined.powered, found.combined.worth
    if isinstance(powered, Undefined):
        return wording.sentence(f"The judge’s verdicts are not added: {powered.reason}")
    weight = wording.decimal(powered.weight, 2)
    if powered.weight == 0 or worth is None:
        return (
            "The judge is given no weight: on the judged items its verdicts do not go with "
            "people’s, so its others say nothing."
        )
    return (
        f"With the judge one judged item counts for {wording.decimal(worth, 2)}. Its verdicts "
        f"enter with weight {weight} (1 is full trust, 0 is none), which the judged items chose."
    )


def _drift(found: Standing) -> str:
    """A warning where the judged items are no random sample, by the judge's own verdicts."""
    drift = found.combined.drift
    if isinstance(drift, Undefined) or drift.low is None or drift.high is None:
        return ""
    if drift.low <= 0 <= drift.high:
        return ""
    word = "more" if drift.value > 0 else "less"
    return (
        f"The judge leans {word} to the candidate on the items that people judged than on the "
        f"others, by {wording.points(drift.value)} "
        f"({wording.interval(drift.low, drift.high, 'points')}): these may be no random sample, "
        "and both together no honest answer."
    )
