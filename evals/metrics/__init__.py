"""Scorers: one output in, `Scored` or `Unscored` out. Pure: no database, no web, no network.

To add one: write a module with a `Kind` (name, version, a frozen dataclass of parameters, and a
function that makes the score), and add the kind to `KINDS`.
"""

from typing import Any

from evals.metrics.base import (
    Accepted,
    Expected,
    ExpectedCall,
    Fields,
    Kind,
    Output,
    Result,
    Scored,
    Scorer,
    Signature,
    TokenLogprob,
    Tool,
    ToolCall,
    Unscored,
)
from evals.metrics.exact import CONTAINS, EXACT_MATCH
from evals.metrics.json_schema import JSON_SCHEMA
from evals.metrics.json_text import JSON_VALID
from evals.metrics.numeric import NUMERIC
from evals.metrics.overlap import ROUGE_L, TOKEN_F1
from evals.metrics.parameters import ParameterError
from evals.metrics.pattern import REGEX
from evals.metrics.perplexity import PERPLEXITY
from evals.metrics.refusal import REFUSAL
from evals.metrics.texts import clipped
from evals.metrics.tool_call import TOOL_CALL
from evals.metrics.translation import BLEU, CHRF

KINDS: tuple[Kind[Any], ...] = (
    EXACT_MATCH,
    CONTAINS,
    REGEX,
    NUMERIC,
    TOKEN_F1,
    ROUGE_L,
    BLEU,
    CHRF,
    PERPLEXITY,
    JSON_VALID,
    JSON_SCHEMA,
    TOOL_CALL,
    REFUSAL,
)
SCORERS: dict[str, Kind[Any]] = {kind.name: kind for kind in KINDS}


def scorer_for(name: str, parameters: object = None) -> Scorer:
    """The scorer `name`, made ready with `parameters`: a mapping of plain data.

    Raises
    ------
    ParameterError
        If there is no such scorer, or a parameter is unknown, missing or impossible. The message
        names it and says what it must be.
    """
    kind = SCORERS.get(name)
    if kind is None:
        shown = clipped(repr(name), 60)
        known = ", ".join(sorted(SCORERS))
        raise ParameterError("scorer", f"There is no scorer {shown}. Scorers: {known}.")
    return kind.ready({} if parameters is None else parameters)


__all__ = [
    "KINDS",
    "SCORERS",
    "Accepted",
    "Expected",
    "ExpectedCall",
    "Fields",
    "Kind",
    "Output",
    "ParameterError",
    "Result",
    "Scored",
    "Scorer",
    "Signature",
    "TokenLogprob",
    "Tool",
    "ToolCall",
    "Unscored",
    "scorer_for",
]
