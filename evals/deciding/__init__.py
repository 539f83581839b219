"""Weighing the evidence against the policy, and keeping what a person signed.

The verdict is the rule's; the decision is a person's. What was signed is stored with all
its evidence, and a digest that anybody can compute again.
"""

from evals.deciding.policy import (
    CONFIDENCES,
    Freeze,
    PolicyInForce,
    RefusedDecisionError,
    change_policy,
    current_policy,
    freeze_of,
    frozen_since,
    policy_in_force,
    policy_versions,
)
from evals.deciding.signing import (
    Waiver,
    changed_since,
    digest_of,
    evidence_of,
    gate_as_json,
    is_intact,
    sign_decision,
    to_waive,
)
from evals.deciding.weighing import Weighing, judge_preference, no_better_than_chance, weigh

__all__ = [
    "CONFIDENCES",
    "Freeze",
    "PolicyInForce",
    "RefusedDecisionError",
    "Waiver",
    "Weighing",
    "change_policy",
    "changed_since",
    "current_policy",
    "digest_of",
    "evidence_of",
    "freeze_of",
    "frozen_since",
    "gate_as_json",
    "is_intact",
    "judge_preference",
    "no_better_than_chance",
    "policy_in_force",
    "policy_versions",
    "sign_decision",
    "to_waive",
    "weigh",
]
