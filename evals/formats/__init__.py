"""Suites and outputs in the formats that people have. Knows formats; no database and no web."""

from evals.formats.files import CASE_READERS, OUTPUT_READERS, SUITE, read_cases, read_outputs
from evals.formats.reading import Reading, Report
from evals.formats.recognising import recognise
from evals.formats.records import (
    Argument,
    CaseRecord,
    Expected,
    ExpectedCall,
    Fields,
    ImportedScore,
    OutputRecord,
    Recognised,
    ScorerSpec,
    TokenLogprob,
    Tokens,
    ToolCall,
)
from evals.formats.shipped import SHIPPED, ShippedSuite, shipped_suite

__all__ = [
    "CASE_READERS",
    "OUTPUT_READERS",
    "SHIPPED",
    "SUITE",
    "Argument",
    "CaseRecord",
    "Expected",
    "ExpectedCall",
    "Fields",
    "ImportedScore",
    "OutputRecord",
    "Reading",
    "Recognised",
    "Report",
    "ScorerSpec",
    "ShippedSuite",
    "TokenLogprob",
    "Tokens",
    "ToolCall",
    "read_cases",
    "read_outputs",
    "recognise",
    "shipped_suite",
]
