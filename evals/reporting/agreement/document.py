"""Agreement as one document, for scripts: beside the keys of the contract."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from evals.reporting.agreement.counted import SAID, WEIGHTED, Counted, Parts, on_points, on_winner
from evals.reporting.agreement.drivers import Driver, Drivers, drivers
from evals.reporting.agreement.groups import row_estimates
from evals.reporting.agreement.panel import on_scale
from evals.reporting.agreement.rest import Rest, against_majority, all_against_rest
from evals.reporting.annotators import NOT_TIMED
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate, Undefined
from evals.stats.kappa import kappa_pairs
from evals.stats.pairs import bias_pairs, even_kappa_pairs, prevalence_pairs, scott_pairs

SYSTEMS = ("baseline", "tie", "candidate")


def agreement_document(
    counted: Counted,
    parts: Parts,
    by_pairs: Mapping[str, Mapping[str, Any]],
    seconds: Mapping[UUID, Estimate],
) -> dict[str, Any]:
    """What agreement has beside percent, alpha, Fleiss' kappa, AC1, pairs and criteria.

    `by_pairs` has for each criterion what pairs of annotators have, and all of them pooled;
    `seconds` the median time of each annotator who was timed.
    """
    kinds, level, rest = parts.parts, counted.confidence, all_against_rest(parts)
    return {
        "pooled_kappa": counted.pooled["unweighted"].as_json(),
        "on_scale": _on_scale(counted),
        "annotators": _annotators(parts, rest, seconds),
        "by_category": {
            name: _row(on_winner(rows), level) for name, rows in kinds.categories.items()
        },
        "by_batch": [
            {"batch": parts.batches[key].number, "name": parts.batches[key].name}
            | _row(on_winner(rows), level)
            for key, rows in kinds.batches.items()
        ],
        "by_time": [
            {
                "from": one.first.isoformat(),
                "to": one.last.isoformat(),
            }
            | _row(on_winner(one.rows), level)
            for one in kinds.periods
        ],
        "scores": _scores(parts, by_pairs),
        "disagreement": _drivers(drivers(parts, rest)),
    }


def _on_scale(counted: Counted) -> dict[str, Any]:
    scale = counted.scale
    found = on_scale(on_points(counted.kinds.rows, scale.points), counted.confidence)
    return {
        "points": scale.points,
        **({"reason": scale.why} if scale.why else {}),
        **_points(found),
        "pooled_kappa": {weights: counted.pooled[weights].as_json() for weights in WEIGHTED},
    }


def _points(found: dict[str, Estimate | Undefined]) -> dict[str, Any]:
    return {
        "percent": found["percent"].as_json(),
        "krippendorff_alpha": {
            level: found[f"alpha_{level}"].as_json() for level in ("nominal", "ordinal", "interval")
        },
        "gwet_ac2": {weights: found[f"ac2_{weights}"].as_json() for weights in WEIGHTED},
    }


def _row(rows: Ints, confidence: float) -> dict[str, Any]:
    found = row_estimates(rows, confidence)
    return {
        "percent": found["percent"].as_json(),
        "krippendorff_alpha": {"ordinal": found["alpha_ordinal"].as_json()},
        "gwet_ac1": found["gwet_ac1"].as_json(),
    }


def _annotators(
    counted: Parts, rest: Sequence[Rest], seconds: Mapping[UUID, Estimate]
) -> list[dict[str, Any]]:
    return [
        {
            "annotator": one.person.label,
            "percent": one.percent.as_json(),
            "kappa": one.kappa.as_json(),
            # Rows: what they said; columns: what most of the others said, or none of it.
            "majority": against_majority(counted.others[one.person.pk]).tolist(),
            "median_seconds": seconds.get(one.person.pk, NOT_TIMED).as_json(),
        }
        for one in rest
    ]


def _scores(counted: Parts, pairs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Agreement on the scores of each criterion that has scores, for each system."""
    return {
        name: {
            system: _points(on_scale(rows, counted.confidence))
            | {
                "pooled_kappa": pairs[name]["pooled_scores"].get(system, {}),
                "pairs": pairs[name]["scores"].get(system, []),
            }
            for system, rows in kinds.scores.items()
        }
        for name, kinds in counted.criteria.items()
        if kinds.scores
    }


def _drivers(found: Drivers) -> dict[str, Any]:
    return {
        "differing": found.differing.as_json(),
        **{f"by_{kind}": [_driver(one) for one in rows] for kind, rows in found.kinds.items()},
    }


def _driver(one: Driver) -> dict[str, Any]:
    assert one.share is not None, "all shares were asked for"
    own = {} if one.own is None else {"of_its_own": one.own.as_json()}
    return {"name": one.name, "share": one.share.as_json(), **own}


def pair_documents(counted: Counted) -> list[dict[str, Any]]:
    """What each pair has beside percent and kappa, in the order of `counted.pairs`."""
    winners, level = counted.winners, counted.confidence
    if not len(winners):
        return []
    columns = (
        scott_pairs(winners, labels=SAID, confidence=level),
        prevalence_pairs(winners, confidence=level),
        bias_pairs(winners, confidence=level),
        even_kappa_pairs(winners, confidence=level),
        *(kappa_pairs(counted.on_scale, weights, confidence=level) for weights in WEIGHTED),
    )
    return [
        {
            "scott_pi": scott.as_json(),
            "prevalence_index": {
                "category": SYSTEMS[prevalence.category], **prevalence.index.as_json(),
            },
            "bias_index": bias.as_json(),
            "even_kappa": even.as_json(),
            "on_scale": {"points": counted.scale.points, "linear": linear.as_json(),
                         "quadratic": quadratic.as_json()},
        }
        for scott, prevalence, bias, even, linear, quadratic in zip(*columns, strict=True)
    ]  # fmt: skip
