"""A model as judge of two runs: both orders asked, and only what both agree on is a win."""

from evals.model_judge.asking import judge_cases, judges_of
from evals.model_judge.pairs import JudgeError
from evals.model_judge.verdicts import (
    CaseVerdict,
    JudgeCounts,
    counts_of,
    judged_runs,
    signature_of,
    verdicts,
)

__all__ = [
    "CaseVerdict",
    "JudgeCounts",
    "JudgeError",
    "counts_of",
    "judge_cases",
    "judged_runs",
    "judges_of",
    "signature_of",
    "verdicts",
]
