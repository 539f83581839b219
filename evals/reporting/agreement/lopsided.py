"""Why kappa can be low where people agree: nearly everything falls into one category."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotate.models import User
from evals.reporting.agreement.matrix import FEW
from evals.stats import wording
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate, Undefined
from evals.stats.kappa import kappa_pairs
from evals.stats.pairs import Prevalence, even_kappa_pairs, prevalence_pairs
from evals.tallies import Tally

# Where chance alone makes two people agree so often, little is left to agree about.
MUCH_BY_CHANCE = 0.6
LOW = 0.4
MOST_PAIRS = 3
ROUNDING = 1e-9
ANSWERS = ("for the baseline", "ties", "for the candidate")


@dataclass(frozen=True, slots=True)
class Lopsided:
    """Pairs whose kappa is low since one answer prevails, and how many more there are."""

    sentences: Sequence[str] = ()
    more: int = 0


def is_lopsided(kappa: Estimate | Undefined, prevalence: Prevalence) -> bool:
    """Whether kappa is low and chance agreement is high."""
    return (
        isinstance(kappa, Estimate)
        and kappa.value < LOW
        and kappa.n >= FEW
        and prevalence.chance >= MUCH_BY_CHANCE
    )


def lopsided(pairs: Sequence[tuple[User, User]], tables: Ints, confidence: float) -> Lopsided:
    """The pairs with most items first; `tables` are of who won, kappa is unweighted."""
    # Most pairs of a large study are ruled out by two numbers; the others are looked at closely.
    n = tables.sum(axis=(1, 2))
    by_chance = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1) / np.maximum(n, 1) ** 2
    (near,) = np.nonzero((n >= FEW) & (by_chance >= MUCH_BY_CHANCE - ROUNDING))
    if not len(near):
        return Lopsided()
    kappas = dict(zip(near.tolist(), kappa_pairs(tables[near], confidence=confidence), strict=True))
    prevalences = dict(
        zip(near.tolist(), prevalence_pairs(tables[near], confidence=confidence), strict=True)
    )
    low = [i for i in near.tolist() if is_lopsided(kappas[i], prevalences[i])]
    low.sort(key=lambda i: -int(n[i]))
    evens = even_kappa_pairs(tables[low[:MOST_PAIRS]], confidence=confidence) if low else []
    told = [
        explained(_names(pairs[i]), tables[i], kappas[i], prevalences[i], even)
        for i, even in zip(low[:MOST_PAIRS], evens, strict=True)
    ]
    return Lopsided(told, max(0, len(low) - MOST_PAIRS))


def explained(
    names: str,
    table: Ints,
    kappa: Estimate | Undefined,
    prevalence: Prevalence,
    even: Estimate | Undefined,
) -> str:
    """Why the kappa of one pair is low: "A and B: κ is 0.12, though they agree on 91 % …"."""
    if not (isinstance(kappa, Estimate) and isinstance(even, Estimate)):
        return ""
    n = int(table.sum())
    agreed = wording.percent(int(table.trace()) / n, 0)
    share, chance = wording.percent(prevalence.share, 0), wording.percent(prevalence.chance, 0)
    return (
        f"{names}: κ is {wording.coefficient(kappa.value)}, though they agree on {agreed} of "
        f"{wording.counted(n, 'items')}. {share} of their answers are "
        f"{ANSWERS[prevalence.category]}, so chance alone would make them agree on {chance}; with "
        f"the answers evenly used κ would be {wording.estimate(even, 'coefficient', 'items')}."
    )


def overall(tally: Tally, percent: Estimate | Undefined, alpha: Estimate | Undefined) -> str:
    """The same of the whole study; empty where no one answer prevails."""
    if not one_answer_prevails(percent, alpha):
        return ""
    most = max(range(3), key=lambda kind: tally.totals[kind])
    share = wording.percent(tally.totals[most] / tally.n, 0)
    return (
        f"{share} of all judgements are {ANSWERS[most]}, so chance alone makes two people agree "
        "often and little is left to agree about: read α and κ beside AC1 and percent agreement."
    )


def one_answer_prevails(percent: Estimate | Undefined, alpha: Estimate | Undefined) -> bool:
    """A low alpha beside high agreement: nearly all answers are the same one."""
    if not (isinstance(percent, Estimate) and isinstance(alpha, Estimate)):
        return False
    if alpha.value >= LOW or alpha.value >= 1:
        return False
    # Alpha is (observed - expected) / (1 - expected), so the expected share follows.
    return (percent.value - alpha.value) / (1 - alpha.value) >= MUCH_BY_CHANCE


def _names(pair: tuple[User, User]) -> str:
    return f"{pair[0]} and {pair[1]}"
