"""A score of any output by any scorer, in a time that has an end.

What is small and simple is scored right here. Texts of a megabyte, hundreds of calls and schemas
with choices, which can take exponential time, are scored in a process that may be ended.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from evals.metrics import Expected, Output, Result, Scored, Scorer, Unscored
from evals.metrics.calls import as_json_schema
from evals.scoring.apart import CHILD

MANY_CHARS = 100_000
MANY_PAIRS = 2_500
# Schemas and cases are worth a few tries: stopping costs seconds each time.
STRIKES = 3
# With these alone, a validator passes once over a value. All others are scored apart.
LINEAR = frozenset(
    {
        "type", "properties", "required", "additionalProperties", "items", "enum", "const",
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength",
        "maxLength", "pattern", "minItems", "maxItems", "minProperties", "maxProperties", "format",
        "title", "description", "default", "examples", "$schema", "$comment", "optional",
    }
)  # fmt: skip
DATA = frozenset({"enum", "const", "default", "examples"})

_strikes: Counter[str] = Counter()


def measure(scorer: Scorer, output: Output, expected: Expected) -> Result:
    """What `scorer` says, or that it took too long.

    Raises
    ------
    NoChildError
        If the process for what is large cannot be started.
    Exception
        Whatever the scorer raises.
    """
    if not is_heavy(scorer, output, expected):
        return finite(scorer(output, expected))
    work = _work(scorer, expected)
    if _strikes[work] >= STRIKES:
        return Unscored(
            f"not tried: the same scorer was stopped {STRIKES} times on what this case expects"
        )
    result = CHILD.ask(scorer, output, expected)
    if isinstance(result, Unscored) and result.reason.startswith("scoring was stopped"):
        _strikes[work] += 1
    return finite(result)


def finite(result: Result) -> Result:
    """A score that is no finite number is none."""
    if isinstance(result, Scored) and not math.isfinite(result.value):
        return Unscored(f"the scorer answered {result.value}, which is no score")
    return result


def is_heavy(scorer: Scorer, output: Output, expected: Expected) -> bool:
    if len(output.text or "") + sum(map(len, expected.answers)) > MANY_CHARS:
        return True
    calls, wanted = output.tool_calls or (), expected.tool_calls or ()
    if len(calls) * max(1, len(wanted)) > MANY_PAIRS or _chars(calls) > MANY_CHARS:
        return True
    return not all(is_linear(schema) for schema in _schemas(scorer, expected))


def _chars(calls: Any) -> int:
    return sum(len(call.arguments) for call in calls if isinstance(call.arguments, str))


def _schemas(scorer: Scorer, expected: Expected) -> Iterator[Any]:
    if scorer.kind.name == "json_schema":
        yield scorer.signature.parameters.get("schema")
        yield expected.schema
    elif scorer.kind.name == "tool_calls":
        for tool in expected.tools:
            yield as_json_schema(tool.parameters)


def is_linear(schema: Any) -> bool:
    """Whether checking a value by `schema` takes a time in proportion to its size."""
    if isinstance(schema, list):
        # Items as a list of schemas.
        return all(is_linear(one) for one in schema)
    if not isinstance(schema, Mapping):
        return True
    return all(_is_linear_member(name, value) for name, value in schema.items())


def _is_linear_member(name: str, value: Any) -> bool:
    if name not in LINEAR:
        return False
    if name in DATA:
        return True
    if name == "properties" and isinstance(value, Mapping):
        return all(is_linear(one) for one in value.values())
    return is_linear(value)


def _work(scorer: Scorer, expected: Expected) -> str:
    """What takes its time whatever the answer is."""
    schemas = [one for one in _schemas(scorer, expected) if one is not None]
    told = json.dumps([scorer.signature.text, schemas or list(expected.answers)], default=str)
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()
