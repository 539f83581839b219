"""Evaluating: suites are put to both systems, scored, compared and weighed, in one go.

Every step that was finished before is kept: an unfinished pair of runs is gone on with, a finished
one is used again, and only scores that are missing are made.
"""

from evals.evaluating.choosing import (
    Endpoints,
    NoEndpointError,
    endpoints_for,
    has_answers,
    named_endpoint,
    speaks,
)
from evals.evaluating.judging import Judged, judge_endpoint, judge_pair, judge_run
from evals.evaluating.steps import (
    Evaluated,
    InterruptedEvaluationError,
    Limits,
    RefusedEvaluationError,
    evaluate,
)

__all__ = [
    "Endpoints",
    "Evaluated",
    "InterruptedEvaluationError",
    "Judged",
    "Limits",
    "NoEndpointError",
    "RefusedEvaluationError",
    "endpoints_for",
    "evaluate",
    "has_answers",
    "judge_endpoint",
    "judge_pair",
    "judge_run",
    "named_endpoint",
    "speaks",
]
