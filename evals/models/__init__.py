"""The weighing: suites, runs and their scores; policies and decisions."""

from evals.models.counted import CountedPart
from evals.models.decision import Decision, Policy, SecondSignature
from evals.models.endpoint import Endpoint
from evals.models.run import Attempt, Generation, Run, Score, ScorerVersion
from evals.models.run_batch import RunBatch
from evals.models.staged import Staged, StagedChunk
from evals.models.suite import Case, Suite

__all__ = [
    "Attempt",
    "Case",
    "CountedPart",
    "Decision",
    "Endpoint",
    "Generation",
    "Policy",
    "Run",
    "RunBatch",
    "Score",
    "ScorerVersion",
    "SecondSignature",
    "Staged",
    "StagedChunk",
    "Suite",
]
