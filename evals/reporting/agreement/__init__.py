"""Agreement: how often people say the same, beyond chance, on what, and who stands apart."""

from evals.reporting.agreement.page import Agreement, PartByPart, agreement, part_by_part

__all__ = ["Agreement", "PartByPart", "agreement", "part_by_part"]
