"""The numbers of the lead's pages as one document, for scripts."""

from typing import Any
from uuid import UUID

from annotate.models import Criterion, Item, Study, User
from evals import queries
from evals.reporting.length import length_json
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate, Json, Undefined
from evals.stats.kappa import WEIGHTS, kappa_pairs, percent_pairs
from evals.tallies import Tally, share_method

SAID = ("the baseline", "a tie", "the candidate")
LEFT_SHARE = "share of decided judgements for the left output"


def report(
    study: Study, *, only: queries.Source | None = None, confidence: float = 0.95
) -> dict[str, Any]:
    """What `manage.py report --json` prints."""
    with queries.snapshot():
        votes = queries.sided_votes(study, only)
        criteria = criterion_tallies(study, only)
        return {
            "study": study.slug,
            "progress": _progress(study, votes.overall, queries.imported_count(study, only)),
            "preference": {
                "wins": votes.overall.wins,
                "ties": votes.overall.plain_ties,
                "losses": votes.overall.losses,
                "both_bad": votes.overall.both_bad,
                "win_rate": votes.overall.win_rate(confidence).as_json(),
                "win_rate_decided": votes.overall.win_rate_decided(confidence).as_json(),
                "left_share": left_share(votes.left, confidence).as_json(),
                "length": length_json(queries.length_votes(study, only), confidence),
                "by_criterion": _rates(criteria, confidence),
                "by_category": _rates(category_tallies(study, votes), confidence),
            },
            "agreement": {
                **_agreement(votes.overall, confidence),
                "pairs": _pairs(study, only, confidence),
                "by_criterion": {
                    name: _agreement(tally, confidence) for name, tally in criteria.items()
                },
            },
        }


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


def left_share(left: Tally, confidence: float) -> Estimate | Undefined:
    """Share of decided judgements for the left output."""
    if left.n == 0:
        return Undefined("nothing has been decided yet")
    return share_method(left.win_rate(confidence), LEFT_SHARE)


def criterion_tallies(study: Study, only: queries.Source | None = None) -> dict[str, Tally]:
    """What was said for each criterion of the rubric, in its order, by name."""
    return {name: votes.tally for name, votes in criterion_votes(study, only).items()}


def criterion_votes(
    study: Study, only: queries.Source | None = None
) -> dict[str, queries.CriterionVotes]:
    """The same with the mean scores, where a criterion is scored."""
    found = queries.criterion_votes(study, only)
    asked = Criterion.objects.filter(study=study).order_by("position")
    shown = [c for c in asked if c.kind != Criterion.Kind.OFF or c.pk in found]
    names = [criterion.name for criterion in shown]
    return {
        c.name if names.count(c.name) == 1 else f"{c.name} ({c.key})": found.get(
            c.pk, queries.CriterionVotes()
        )
        for c in shown
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


def named_pairs(
    study: Study, only: queries.Source | None = None
) -> tuple[list[tuple[User, User]], Ints]:
    """Pairs of annotators who share items, in the order of their labels, and their tables."""
    pairs, tables = queries.pair_tables(study, only)
    ids: set[UUID] = {who for pair in pairs for who in pair}
    people = User.objects.in_bulk(list(ids))
    named = []
    for number, (first, second) in enumerate(pairs):
        a, b = people[first], people[second]
        if a.label > b.label:
            a, b = b, a
            tables[number] = tables[number].T.copy()
        named.append((a, b))
    order = sorted(range(len(named)), key=lambda i: (named[i][0].label, named[i][1].label))
    return [named[i] for i in order], tables[order]


def _pairs(study: Study, only: queries.Source | None, confidence: float) -> list[dict[str, Any]]:
    pairs, tables = named_pairs(study, only)
    columns: list[list[Estimate | Undefined]] = [percent_pairs(tables, confidence=confidence)]
    columns += [
        kappa_pairs(tables, weights, labels=SAID, confidence=confidence) for weights in WEIGHTS
    ]
    return [
        {
            "annotators": [a.label, b.label],
            "n": percent.n,
            "percent": percent.as_json(),
            "cohen_kappa": plain.as_json(),
            "linear": linear.as_json(),
            "quadratic": quadratic.as_json(),
        }
        for (a, b), percent, plain, linear, quadratic in zip(pairs, *columns, strict=True)
    ]
