"""Scoring: what scorers say of stored outputs. Costs no call and never fails a run."""

from evals.scoring.corpus import CorpusScore, corpus_scores, scores_of_corpus
from evals.scoring.reading import expected_of, output_of, scorer_named_by
from evals.scoring.scores import ScoreCounts, score_generation, score_run
from evals.scoring.versions import spec_of, version_of

__all__ = [
    "CorpusScore",
    "ScoreCounts",
    "corpus_scores",
    "expected_of",
    "output_of",
    "score_generation",
    "score_run",
    "scorer_named_by",
    "scores_of_corpus",
    "spec_of",
    "version_of",
]
