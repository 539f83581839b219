"""Which call answers which expected one: the assignment with the fewest faults, never greedy.

Expected {1 or 2}, {1} against 1, 2: taking the first fit for each leaves the second without a
partner, though there is one for both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from evals.metrics.arguments import CallFault, Strings, argument_faults, is_accepted, shown
from evals.metrics.base import ExpectedCall, Tool
from evals.metrics.calls import as_json_schema
from evals.metrics.json_schema import Compiled, SchemaFault, compile_schema
from evals.metrics.json_text import Faulty
from evals.metrics.parameters import ParameterError

# More calls than this can be but extra; comparing each with each would take its time.
MOST_COMPARED = 1_000
NUDGE = 1e-12


@dataclass(frozen=True, slots=True)
class Made:
    """A call that was made, its arguments decoded or the reason why they cannot be."""

    name: str
    arguments: Mapping[str, Any] | Faulty


@dataclass(frozen=True, slots=True)
class Pairing:
    """Places of expected and made calls that belong together, with the faults of each pair."""

    pairs: tuple[tuple[int, int, tuple[CallFault, ...]], ...]
    missing: tuple[int, ...]
    extra: tuple[int, ...]


def pair_calls(wanted: Sequence[ExpectedCall], made: Sequence[Made], strings: Strings) -> Pairing:
    """The assignment with most calls right; then most names right; then fewest faults."""
    compared = made[: max(MOST_COMPARED, len(wanted))]
    faults = [[pair_faults(call, one, strings) for one in compared] for call in wanted]
    rows, columns = linear_sum_assignment(_costs(faults, len(wanted), len(compared)))
    pairs = tuple(
        (int(row), int(column), tuple(faults[row][column]))
        for row, column in zip(rows, columns, strict=True)
    )
    return Pairing(
        pairs,
        tuple(sorted(set(range(len(wanted))) - {row for row, _, _ in pairs})),
        tuple(sorted(set(range(len(made))) - {column for _, column, _ in pairs})),
    )


def _costs(faults: list[list[list[CallFault]]], rows: int, columns: int) -> Any:
    """0 for a right call. What comes second must never outweigh it, however often it adds up."""
    weight = 1 / (min(rows, columns) + 1)
    # Among equals the calls are taken in order: strictly convex, so that no crossing is as cheap.
    steps = np.subtract.outer(np.arange(rows), np.arange(columns)) / max(rows, columns, 1)
    costs = NUDGE * steps**2
    for row, of_call in enumerate(faults):
        for column, found in enumerate(of_call):
            if found:
                share = len(found) / (len(found) + 1)
                misnamed = found[0].kind == "wrong_name"
                costs[row, column] += 1 + weight * (misnamed + weight * share) / 2
    return costs


def pair_faults(wanted: ExpectedCall, made: Made, strings: Strings) -> list[CallFault]:
    """Everything wrong with one call if it was meant to be the other."""
    if made.name != wanted.name:
        return [CallFault("wrong_name", f"called {shown(made.name)}, not {shown(wanted.name)}")]
    if isinstance(made.arguments, Faulty):
        return [CallFault("parse_error", f"{shown(made.name)}: {made.arguments.reason}")]
    return argument_faults(made.arguments, wanted, strings)


@dataclass(frozen=True, slots=True)
class SchemaFindings:
    """Faults by the tools' schemas; what was set aside; why a schema could not be used."""

    valid: bool | None
    faults: tuple[CallFault, ...]
    set_aside: tuple[str, ...]
    unusable: str | None


def check_schemas(
    made: Sequence[Made],
    partners: Mapping[int, ExpectedCall],
    tools: Sequence[Tool],
    strings: Strings,
) -> SchemaFindings:
    """Every call against the schema of its tool.

    Where the case accepts a value, or an absence, that the tool's schema does not, the case
    counts: the fault is set aside, and told.
    """
    if not tools or not made:
        return SchemaFindings(None, (), (), None)
    offered = {tool.name: tool for tool in tools}
    faults: list[CallFault] = []
    aside: list[str] = []
    unusable = None
    for place, call in enumerate(made[:MOST_COMPARED]):
        if call.name not in offered:
            faults.append(CallFault("unknown_tool", shown(call.name)))
            continue
        try:
            compiled = _compiled(offered[call.name])
        except ParameterError as error:
            unusable = str(error)
            continue
        for fault in _schema_faults(call, compiled):
            if _accepts(fault, call, partners.get(place), strings):
                aside.append(fault.text)
            else:
                faults.append(CallFault("schema", fault.text))
    unread = any(isinstance(call.arguments, Faulty) for call in made)
    valid = None if unusable and not faults else not faults and not unread
    return SchemaFindings(valid, tuple(faults), tuple(aside), unusable)


def _compiled(tool: Tool) -> Compiled | None:
    if tool.parameters is None:
        return None
    return compile_schema(as_json_schema(tool.parameters))


def _schema_faults(call: Made, compiled: Compiled | None) -> tuple[SchemaFault, ...]:
    if compiled is None or isinstance(call.arguments, Faulty):
        return ()
    return compiled.faults(call.arguments)


def _accepts(fault: SchemaFault, call: Made, wanted: ExpectedCall | None, strings: Strings) -> bool:
    if wanted is None or isinstance(call.arguments, Faulty):
        return False
    if not fault.path:
        absent = wanted.arguments.get(str(fault.details.get("property")))
        return fault.keyword == "required" and absent is not None and absent.optional
    name = str(fault.path[0])
    accepted = wanted.arguments.get(name)
    value = call.arguments[name]
    # "" in a list of accepted values mostly means "may be left out": where the schema wants
    # something else than a text, it is no value.
    return accepted is not None and value != "" and is_accepted(value, accepted, strings)
