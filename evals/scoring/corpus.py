"""Scores that only a whole run has: BLEU and chrF of all texts, perplexity of all tokens."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evals.metrics import KINDS, Expected, Output, Scored, Scorer, scorer_for
from evals.metrics.base import Part
from evals.models import Generation, Run
from evals.scoring.reading import expected_of, output_of

# All texts are in memory at once.
MOST_OUTPUTS = 20_000


@dataclass(frozen=True, slots=True)
class CorpusScore:
    """One number for a run, or the reason why there is none."""

    name: str
    signature: str
    higher_is_better: bool
    value: float | None
    reason: str = ""
    parts: Mapping[str, Part] = field(default_factory=dict)


def corpus_scorers() -> list[Scorer]:
    """The scorers that have a score at the level of a corpus, with their usual parameters."""
    return [scorer_for(kind.name) for kind in KINDS if kind.corpus is not None]


def corpus_scores(run: Run, scorers: Sequence[Scorer] | None = None) -> list[CorpusScore]:
    """The scores of `run` as a whole. Nothing is stored, and no call is made."""
    chosen = corpus_scorers() if scorers is None else list(scorers)
    done = Generation.objects.filter(run=run, state=Generation.State.DONE)
    count = done.count()
    if count > MOST_OUTPUTS:
        reason = f"a run of {count:,} outputs is more than is scored as one ({MOST_OUTPUTS:,})"
        return [_without(scorer, reason) for scorer in chosen]
    answers = done.select_related("case").order_by("position")
    return scores_of_corpus(chosen, list(_pairs(answers.iterator(chunk_size=200))))


def scores_of_corpus(
    scorers: Sequence[Scorer], pairs: Sequence[tuple[Output, Expected]]
) -> list[CorpusScore]:
    """As `corpus_scores`, of pairs that are at hand."""
    return [_scored(scorer, pairs) for scorer in scorers]


def _pairs(answers: Iterator[Generation]) -> Iterator[tuple[Output, Expected]]:
    for generation in answers:
        yield output_of(generation), expected_of(generation.case)


def _scored(scorer: Scorer, pairs: Sequence[tuple[Output, Expected]]) -> CorpusScore:
    result = scorer.over_corpus(pairs)
    if not isinstance(result, Scored):
        return _without(scorer, result.reason)
    told: dict[str, Any] = dict(result.parts)
    return CorpusScore(**_names(scorer), value=result.value, parts=told)


def _without(scorer: Scorer, reason: str) -> CorpusScore:
    return CorpusScore(**_names(scorer), value=None, reason=reason)


def _names(scorer: Scorer) -> dict[str, Any]:
    signature = scorer.corpus_signature or scorer.signature
    return {
        "name": scorer.kind.name,
        "signature": signature.text,
        "higher_is_better": scorer.kind.higher_is_better,
    }
