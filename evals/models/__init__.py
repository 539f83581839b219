"""The weighing: policies and decisions."""

from evals.models.decision import Decision, Policy

__all__ = ["Decision", "Policy"]
