"""Judgements made elsewhere: files of other tools to what each person said, or every fault."""

from annotate.parsing.judgements.contract import (
    FIELDS,
    Asked,
    JudgementOptions,
    JudgementReport,
    Said,
    Study,
)
from annotate.parsing.judgements.reading import JudgementReading

__all__ = [
    "FIELDS",
    "Asked",
    "JudgementOptions",
    "JudgementReading",
    "JudgementReport",
    "Said",
    "Study",
]
