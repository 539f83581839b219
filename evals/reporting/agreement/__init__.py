"""Agreement: how often people say the same, beyond chance, on what, and who stands apart."""

from evals.reporting.agreement.page import (
    Agreement,
    PartByPart,
    agreement,
    agreement_of,
    pairs_of,
    part_by_part,
    parts_of,
)

__all__ = [
    "Agreement",
    "PartByPart",
    "agreement",
    "agreement_of",
    "pairs_of",
    "part_by_part",
    "parts_of",
]
