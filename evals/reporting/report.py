"""The numbers of the lead's pages as one document, for scripts."""

from typing import Any

from annotate.models import Item, Study
from evals import queries
from evals.reporting.agreement.counted import Counted, read, read_parts
from evals.reporting.agreement.criterion_pairs import criterion_pairs_json, pairs_json
from evals.reporting.agreement.document import agreement_document, pair_documents
from evals.reporting.length import length_json
from evals.reporting.repeats import repeats_document
from evals.reporting.rubric import criterion_names
from evals.reporting.sides import both_bad_rate, left_share, position_document
from evals.reporting.strength import mean_strength_of
from evals.reporting.tested import Headline, tests_json
from evals.reporting.watching import planning_document, watching_document
from evals.stats.estimates import Json, Undefined
from evals.stats.preference import ClusteredRate
from evals.tallies import Tally, Ties


def report(
    study: Study,
    *,
    only: queries.Source | None = None,
    confidence: float = 0.95,
    threshold: float = 0.5,
    ties: Ties = "half",
) -> dict[str, Any]:
    """What `manage.py report --json` prints.

    `threshold` and `ties` are those of the policy: against the one win rates are tested,
    counting ties by the other.
    """
    with queries.snapshot():
        votes = queries.sided_votes(study, only)
        criteria, categories = criterion_tallies(study, only), category_tallies(study, votes)

        def preferred(tally: Tally) -> ClusteredRate | Undefined:
            return tally.preferred(confidence, ties)

        counted, pairs = read(study, only, confidence), _criterion_pairs(study, only, confidence)
        return {
            "study": study.slug,
            "progress": _progress(study, votes.overall, queries.imported_count(study, only)),
            "preference": {
                "wins": votes.overall.wins,
                "ties": votes.overall.plain_ties,
                "losses": votes.overall.losses,
                "both_bad": votes.overall.both_bad,
                "both_bad_rate": both_bad_rate(votes, confidence).as_json(),
                "win_rate": votes.overall.win_rate(confidence).as_json(),
                "win_rate_decided": votes.overall.win_rate_decided(confidence).as_json(),
                "left_share": left_share(votes.left, confidence).as_json(),
                "position": position_document(study, votes, only, confidence, ties),
                "length": length_json(queries.length_votes(study, only), confidence),
                "by_criterion": _rates(criteria, confidence),
                "by_category": _rates(categories, confidence),
                "tests": tests_json(
                    Headline(votes.overall, preferred(votes.overall), threshold, ties),
                    {name: preferred(tally) for name, tally in criteria.items()},
                    {name: preferred(tally) for name, tally in categories.items()},
                ),
                "strength": mean_strength_of(
                    queries.strength_sums(study, only), confidence
                ).as_json(),
                "watching": watching_document(study, votes.overall, only, confidence, ties),
                "planning": planning_document(votes.overall, threshold, confidence, ties),
            },
            "agreement": {
                **_agreement(votes.overall, confidence),
                "pairs": _pairs(counted),
                "by_criterion": {
                    name: _agreement(tally, confidence)
                    | {key: pairs[name][key] for key in ("pooled_kappa", "pairs")}
                    for name, tally in criteria.items()
                },
                **agreement_document(
                    counted,
                    read_parts(study, only, confidence),
                    pairs,
                    queries.median_seconds(study, confidence=confidence),
                ),
            },
            # Only of a study that asks again, or did.
            **({"repeats": again} if (again := repeats_document(study, only, confidence)) else {}),
        }


def _criterion_pairs(
    study: Study, only: queries.Source | None, confidence: float
) -> dict[str, dict[str, Any]]:
    names = criterion_names(study, queries.criterion_votes(study, only))
    return {name: criterion_pairs_json(study, key, only, confidence) for key, name in names.items()}


def _progress(study: Study, tally: Tally, imported: int) -> dict[str, int]:
    slots = queries.total_slots(study)
    return {
        "items": slots.items,
        "tasks": slots.wanted,
        "judged": slots.judged,
        "judgements": tally.n,
        "annotators": tally.annotator_count,
        # Only where there are any: of the judgements counted, those made elsewhere.
        **({"imported": imported} if imported else {}),
    }


def criterion_tallies(study: Study, only: queries.Source | None = None) -> dict[str, Tally]:
    """What was said for each criterion of the rubric, in its order, by name."""
    return {name: votes.tally for name, votes in criterion_votes(study, only).items()}


def criterion_votes(
    study: Study, only: queries.Source | None = None
) -> dict[str, queries.CriterionVotes]:
    """The same with the mean scores, where a criterion is scored."""
    found = queries.criterion_votes(study, only)
    return {
        name: found.get(key, queries.CriterionVotes())
        for key, name in criterion_names(study, found).items()
    }


def category_tallies(study: Study, votes: Any) -> dict[str, Tally]:
    """What was said in each category of the items, judged or not, by name."""
    tallies: dict[str, Tally] = votes.by_category()
    there_are = Item.objects.filter(study=study).order_by("category").distinct()
    return {
        name: tallies.get(name, Tally()) for name in there_are.values_list("category", flat=True)
    }


def _rates(tallies: dict[str, Tally], confidence: float) -> dict[str, Json]:
    return {name: tally.win_rate(confidence).as_json() for name, tally in tallies.items()}


def _agreement(tally: Tally, confidence: float) -> dict[str, Any]:
    found = tally.agreement(confidence)
    return {
        "percent": found["percent"].as_json(),
        "krippendorff_alpha": {
            "nominal": found["alpha_nominal"].as_json(),
            "ordinal": found["alpha_ordinal"].as_json(),
        },
        "fleiss_kappa": found["fleiss_kappa"].as_json(),
        "gwet_ac1": found["gwet_ac1"].as_json(),
    }


def _pairs(counted: Counted) -> list[dict[str, Any]]:
    plain = pairs_json(counted.pairs, counted.winners, counted.confidence)
    return [pair | more for pair, more in zip(plain, pair_documents(counted), strict=True)]
