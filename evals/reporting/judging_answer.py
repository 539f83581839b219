"""The answer of `manage.py judge_report`: a judge beside people, as JSON and in words."""

from collections.abc import Iterator
from typing import Any

from evals.reporting.compared import p_words
from evals.reporting.judging import Agreement, Beside, Combined, Standing
from evals.reporting.numbers import from_json, shown
from evals.stats import wording
from evals.stats.estimates import Undefined
from evals.stats.judges import PoweredMean
from evals.stats.kappa import WEIGHTS
from evals.tallies import Ties

# By the policy of a study: what a win rate is a rate of.
RATE_OF: dict[Ties, str] = {"half": "ties half", "decided": "of decided judgements"}


def judge_report(found: Standing) -> dict[str, Any]:
    """The answer of `manage.py judge_report`."""
    run, made, items = found.judge.run, found.judge.made, found.judged.items
    unlabelled = int(items.unlabelled.sum())
    return {
        "study": made.batch.study.slug,
        "run": run.number,
        "judge": run.model,
        "signature": found.judge.signature,
        "baseline_run": made.baseline_run.number,
        "candidate_run": made.candidate_run.number,
        "batch": made.batch.number,
        "items": {
            "judged_by_people": items.labelled,
            "not_judged_by_people": unlabelled,
            "without_verdict": found.judged.without_verdict,
        },
        "agreement": {
            "majority": _agreement_json(found.majority) | {"undecided": found.undecided},
            "judge_with_people": found.with_people.as_json(),
            "people_with_each_other": found.among_people.as_json(),
            "difference": found.gap.as_json(),
        },
        "annotators": [_beside_json(one) for one in found.beside],
        "alternative_annotator_test": _test_json(found),
        "win_rate": _combined_json(found.combined),
    }


def _agreement_json(agreement: Agreement) -> dict[str, Any]:
    names = ("cohen_kappa", *WEIGHTS[1:])
    return {"percent": agreement.percent.as_json()} | {
        name: agreement.kappas[weights].as_json()
        for name, weights in zip(names, WEIGHTS, strict=True)
    }


def _beside_json(one: Beside) -> dict[str, Any]:
    tested = one.tested
    return {
        "annotator": one.annotator.label,
        **_agreement_json(one.with_judge),
        "with_other_people": one.with_others.as_json(),
        "alternative": tested and {
            "n": tested.n, "human": tested.human, "judge": tested.judge,
            "p_value": tested.p_value, "adjusted": tested.adjusted,
            "replaceable": tested.is_replaceable,
        },
    }  # fmt: skip


def _test_json(found: Standing) -> dict[str, Any]:
    test = found.test
    if isinstance(test, Undefined):
        return test.as_json() | {"epsilon": found.epsilon, "passes": None}
    return {
        "value": test.value,
        "n": test.n,
        "method": "winning rate of the alternative annotator test, Benjamini-Yekutieli at 0.05",
        "epsilon": found.epsilon,
        "advantage": test.advantage,
        "passes": test.passes,
    }


def _combined_json(combined: Combined) -> dict[str, Any]:
    powered = combined.powered
    more = {"weight": powered.weight} if isinstance(powered, PoweredMean) else {}
    return {
        "ties": combined.ties,
        "people": combined.alone.as_json(),
        "people_and_judge": powered.as_json() | more,
        "worth": combined.worth,
        "judge_on_judged_minus_others": combined.drift.as_json(),
    }


def judge_report_in_words(found: dict[str, Any]) -> str:
    """The numbers of a report on a judge, one a line, each with its interval and n."""
    return "\n".join(_lines(found))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    items, agreement = found["items"], found["agreement"]
    yield f"{found['judge']} (run {found['run']}) beside people, batch {found['batch']}"
    yield (
        f"  {wording.counted(items['judged_by_people'], 'items')} judged by people as well, "
        f"{wording.count(items['not_judged_by_people'])} by the judge alone, "
        f"{wording.count(items['without_verdict'])} without a verdict"
    )
    yield ""
    yield "Agreement, Cohen's kappa"
    majority = agreement["majority"]
    yield _line("With what most people say", majority["cohen_kappa"])
    yield _line("  weighted, linear", majority["linear"])
    yield _line("  weighted, quadratic", majority["quadratic"])
    yield _line("  same verdict", majority["percent"], "share")
    yield _line("With single people", agreement["judge_with_people"])
    yield _line("People with each other", agreement["people_with_each_other"])
    yield _line("Judge minus people", agreement["difference"])
    for one in found["annotators"]:
        yield _line(f"With {one['annotator']}", one["cohen_kappa"])
        yield _line("  who with other people has", one["with_other_people"])
    yield ""
    yield from _test_lines(found)
    yield ""
    yield f"Win rate of the candidate, {RATE_OF[found['win_rate']['ties']]}"
    yield _line("People alone", found["win_rate"]["people"], "share")
    yield _line("People and judge", found["win_rate"]["people_and_judge"], "share")
    if found["win_rate"]["worth"]:
        told = wording.decimal(found["win_rate"]["worth"], 2)
        weight = wording.decimal(found["win_rate"]["people_and_judge"]["weight"], 2)
        yield f"  One judged item counts for {told}; the judge is trusted with weight {weight}"


def _test_lines(found: dict[str, Any]) -> Iterator[str]:
    test = found["alternative_annotator_test"]
    yield f"Alternative annotator test, epsilon {test['epsilon']:g}"
    if test["passes"] is None:
        yield f"  Not possible: {test['reason']}"
        return
    tested = [one for one in found["annotators"] if one["alternative"]]
    replaced = sum(one["alternative"]["replaceable"] for one in tested)
    verdict = "Passed" if test["passes"] else "Not passed"
    yield (
        f"  {verdict}: it may stand in for {replaced} of {len(tested)} annotators "
        f"(winning rate {wording.percent(test['value'], 0)}, at least 50\u202f% needed)"
    )
    for one in tested:
        row = one["alternative"]
        yield (
            f"  {one['annotator']}: judge {wording.percent(row['judge'])}, annotator "
            f"{wording.percent(row['human'])} of {wording.counted(row['n'], 'items')}, adjusted p "
            f"{p_words(row['adjusted'])}"
        )


def _line(title: str, estimate: dict[str, Any], unit: str = "coefficient") -> str:
    number = shown(from_json(estimate), unit, "items")
    facts = "  ".join(part for part in (number.value, number.interval, number.n) if part)
    return f"  {title}: {facts}" + (f" ({number.why})" if number.why else "")
