"""Weighing the evidence against the policy, and keeping what a person signed.

The verdict is the rule's; the decision is a person's. What was signed is stored with all
its evidence, and a digest that anybody can compute again.
"""

from evals.deciding.changes import Change, change_since, changed_since
from evals.deciding.evidence import digest_of, evidence_of, gate_as_json
from evals.deciding.policy import (
    CONFIDENCES,
    Freeze,
    PolicyInForce,
    RefusedDecisionError,
    change_policy,
    current_policy,
    freeze_of,
    frozen_since,
    policies_in_force,
    policy_in_force,
    policy_versions,
)
from evals.deciding.record import latest_decision, record_of, waits_for, waivers_of
from evals.deciding.signing import (
    Waiver,
    evidence_again,
    is_intact,
    needs_two,
    second_signature,
    sign_decision,
    sign_second,
    to_waive,
)
from evals.deciding.verifying import Verified, verify_decision
from evals.deciding.weighing import Weighing, judge_preference, no_better_than_chance, weigh

__all__ = [
    "CONFIDENCES",
    "Change",
    "Freeze",
    "PolicyInForce",
    "RefusedDecisionError",
    "Verified",
    "Waiver",
    "Weighing",
    "change_policy",
    "change_since",
    "changed_since",
    "current_policy",
    "digest_of",
    "evidence_again",
    "evidence_of",
    "freeze_of",
    "frozen_since",
    "gate_as_json",
    "is_intact",
    "judge_preference",
    "latest_decision",
    "needs_two",
    "no_better_than_chance",
    "policies_in_force",
    "policy_in_force",
    "policy_versions",
    "record_of",
    "second_signature",
    "sign_decision",
    "sign_second",
    "to_waive",
    "verify_decision",
    "waits_for",
    "waivers_of",
    "weigh",
]
