"""What went into a verdict, named so that anybody can tell whether it is the same again."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from annotate.models import Study
from evals import queries
from evals.models import Run
from evals.queries.evidence import batch_digests, prints_of, runs_of, signatures_of
from evals.queries.kept import kept
from evals.queries.runs import RunPair

# Schemas may differ from case to case, and each is part of a signature.
MOST_SIGNATURES = 40


def source_as_json(pair: RunPair) -> dict[str, Any]:
    """The suite and the runs that a gate was judged by."""
    return {
        "suite": suite_name(pair),
        "baseline_run": pair.baseline.number,
        "candidate_run": pair.candidate.number,
    }


def suite_name(pair: RunPair) -> str:
    """ "tool_calling@1": a suite and its version."""
    return f"{pair.suite.name}@{pair.suite.version}"


def inputs_of(
    study: Study, only: queries.Source | None, pairs: Sequence[RunPair]
) -> dict[str, Any]:
    """Digests of everything that is weighed: votes of that source, batches, suites and runs."""
    runs = runs_of(pairs)
    prints, signatures = prints_of(runs), signatures_of(runs)
    return {
        "votes": votes_digest(study, only),
        "batches": batch_digests(study),
        "runs": [
            {
                "suite": suite_name(pair),
                "title": pair.suite.title,
                "digest": pair.suite.digest,
                "cases": pair.suite.case_count,
                **{run.system: _run(run, prints) for run in pair.runs},
                "scorers": _scorers(pair, signatures),
            }
            for pair in pairs
        ],
    }


def _run(run: Run, prints: dict[int, str]) -> dict[str, Any]:
    return {
        "run": run.number,
        "model": run.model,
        "source": run.source,
        "answers": prints.get(run.pk, ""),
    }


def _scorers(pair: RunPair, signatures: dict[int, list[tuple[str, int]]]) -> list[str]:
    """The signatures of the cases' own scorers, each once; very many by their digest."""
    found = sorted({line for run in pair.runs for line, _ in signatures.get(run.pk, ())})
    if len(found) <= MOST_SIGNATURES:
        return found
    names = sorted({line.partition("|")[0] for line in found})
    return [*names, f"{len(found)} signatures, sha256={_sha256(found)}"]


@kept
def votes_digest(study: Study, only: queries.Source | None) -> str:
    """SHA-256 of the counts behind all numbers of people, whatever the order of their rows."""
    votes = queries.sided_votes(study, only)
    people = [
        [str(who), votes.categories[row[0]], *row[1:]]
        for who, row in zip(votes.annotators, votes.annotator_rows.tolist(), strict=True)
    ]
    items = [[votes.categories[row[0]], *row[1:]] for row in votes.item_rows.tolist()]
    return _sha256([sorted(items), sorted(people)])


def _sha256(rows: Sequence[Any]) -> str:
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
