"""Every coefficient of the overall question, by what it asks: who won, and by how much."""

from collections.abc import Sequence
from dataclasses import dataclass

from evals.reporting.agreement.counted import WEIGHTED, Counted
from evals.reporting.numbers import Shown, shown
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.gwet import gwet_ac2_of_counts
from evals.stats.scales import points_summary

ON_POINTS = ("percent", "alpha_nominal", "alpha_ordinal", "alpha_interval")


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One coefficient in words."""

    name: str
    number: Shown


@dataclass(frozen=True, slots=True)
class Panel:
    """The coefficients of both questions.

    Attributes
    ----------
    points : str
        "7 points", or "three categories" with the reason in `why`.
    """

    winner: Sequence[Coefficient]
    strength: Sequence[Coefficient]
    points: str
    why: str
    glance: Sequence[Coefficient]


@dataclass(frozen=True, slots=True)
class Coefficients:
    """The same as estimates.

    Attributes
    ----------
    winner : dict
        `percent`, `alpha_nominal`, `alpha_ordinal`, `fleiss_kappa`, `gwet_ac1`.
    strength : dict
        `percent`, `alpha_nominal`, `alpha_ordinal`, `alpha_interval`, `ac2_linear`,
        `ac2_quadratic` on the points of the scale.
    """

    winner: dict[str, Estimate | Undefined]
    strength: dict[str, Estimate | Undefined]


def coefficients(counted: Counted, rows: Ints) -> Coefficients:
    """All of them; `rows` are (judgements on each point of the scale, items)."""
    return Coefficients(
        counted.tally.agreement(counted.confidence), on_scale(rows, counted.confidence)
    )


def on_scale(rows: Ints, confidence: float) -> dict[str, Estimate | Undefined]:
    """Agreement on the points of a scale; `rows` are (judgements on each, items)."""
    # Draws depend on the order of the rows: both directions of the scale get the same.
    turned = rows.copy()
    turned[:, :-1] = rows[:, -2::-1]
    rows = min(rows, turned, key=lambda one: sorted(one.tolist()))
    table, times = rows[:, :-1], rows[:, -1]
    found = attempt(points_summary, table, times, confidence=confidence)
    if isinstance(found, Undefined):
        found = dict.fromkeys(ON_POINTS, found)
    for weights in WEIGHTED:
        found[f"ac2_{weights}"] = attempt(
            gwet_ac2_of_counts, table, times, weights, confidence=confidence
        )
    return found


def panel(counted: Counted, found: Coefficients) -> Panel:
    """The coefficients in words, who won first."""
    winner, strength, pooled = found.winner, found.strength, counted.pooled
    points = counted.scale.points
    words = f"{points} points" if counted.scale.has_strength else "three categories"
    nominal = _in_words("Krippendorff’s α, nominal", winner["alpha_nominal"])
    ordinal = _in_words("Krippendorff’s α, ordinal", strength["alpha_ordinal"])
    ac1 = _in_words("Gwet’s AC1", winner["gwet_ac1"])
    percent = _in_words("Percent agreement", winner["percent"], "share")
    return Panel(
        winner=[
            percent,
            nominal,
            ac1,
            _in_words("Cohen’s κ, all pairs pooled", pooled["unweighted"]),
            _in_words("Fleiss’ κ", winner["fleiss_kappa"]),
        ],
        strength=[
            _in_words("Percent on the same point", strength["percent"], "share"),
            ordinal,
            _in_words("Krippendorff’s α, interval", strength["alpha_interval"]),
            _in_words("Gwet’s AC2, linear", strength["ac2_linear"]),
            _in_words("Gwet’s AC2, quadratic", strength["ac2_quadratic"]),
            _in_words("Cohen’s κ, pooled, linear", pooled["linear"]),
            _in_words("Cohen’s κ, pooled, quadratic", pooled["quadratic"]),
        ],
        points=words,
        why=counted.scale.why,
        glance=[
            nominal,
            Coefficient(f"α, ordinal, {words}", ordinal.number),
            ac1,
            percent,
        ],
    )


def _in_words(name: str, number: Estimate | Undefined, unit: str = "coefficient") -> Coefficient:
    return Coefficient(name, shown(number, unit, "items"))
