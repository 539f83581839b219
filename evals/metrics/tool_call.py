"""Tool calls: a column for each thing that can be wrong, and one strict "call correct"."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from evals.metrics.arguments import CallFault, Strings, shown
from evals.metrics.base import (
    Expected,
    ExpectedCall,
    Kind,
    Output,
    Part,
    Result,
    Scored,
    ToolCall,
    Unscored,
)
from evals.metrics.calls import arguments_of
from evals.metrics.json_schema import ENGINE
from evals.metrics.json_text import Faulty
from evals.metrics.matching_calls import (
    Made,
    Pairing,
    SchemaFindings,
    check_schemas,
    pair_calls,
)
from evals.metrics.written_calls import calls_in, looks_like_a_call

ARGUMENT_KINDS = {"missing_argument", "unexpected_argument", "wrong_value"}
MAX_FAULTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """`strings`: how texts in arguments are compared: exact (NFC), loose (case and spaces), bfcl.

    `order`: whether several calls must come in the order given. `read`: where calls are looked
    for: in the answer's tool_calls, or, for systems without those, in its text.
    """

    strings: Strings = "exact"
    order: Literal["any", "given"] = "any"
    read: Literal["tool_calls", "text"] = "tool_calls"


@dataclass(frozen=True, slots=True)
class Findings:
    """All that is known of an answer's calls."""

    wanted: tuple[ExpectedCall, ...]
    made: tuple[Made, ...]
    unread: str
    pairing: Pairing
    schemas: SchemaFindings

    def partner_faults(self) -> list[CallFault]:
        """Faults of pairs, missing calls and extra calls, in that order."""
        faults = [fault for _, _, found in self.pairing.pairs for fault in found]
        faults += [
            CallFault("missing_call", shown(self.wanted[place].name))
            for place in self.pairing.missing
        ]
        return faults + [
            CallFault("extra_call", shown(self.made[place].name)) for place in self.pairing.extra
        ]


def _calls(
    parameters: Parameters, output: Output, expected: Expected
) -> tuple[tuple[ToolCall, ...], str]:
    """The calls made, and why something that should be one could not be read ("" if nothing)."""
    text = output.text or ""
    if parameters.read == "text":
        return calls_in(text, expected.tools)
    calls = output.tool_calls or ()
    if calls:
        return calls, ""
    if looks_like_a_call(text, expected.tools):
        return (), "the text looks like a call that was not taken out of it"
    if output.finish_reason in ("tool_calls", "function_call"):
        return (), "the answer ends in a call, but holds none"
    if not text.strip() and output.truncated and output.refusal is None:
        return (), "the answer was cut off before anything was written"
    return (), ""


def tool_call(parameters: Parameters, output: Output, expected: Expected) -> Result:
    """1 if exactly the expected calls were made, each with accepted arguments; else 0.

    An answer without a call is right where none is expected, unless it holds one that cannot be
    decoded.
    """
    if expected.tool_calls is None:
        return Unscored("the case does not say which calls are right")
    calls, unread = _calls(parameters, output, expected)
    made = tuple(Made(call.name, arguments_of(call)) for call in calls)
    pairing = pair_calls(expected.tool_calls, made, parameters.strings)
    partners = {column: expected.tool_calls[row] for row, column, _ in pairing.pairs}
    schemas = check_schemas(made, partners, expected.tools, parameters.strings)
    findings = Findings(expected.tool_calls, made, unread, pairing, schemas)
    faults = _faults(findings, parameters)
    correct = not faults
    named = {"faults": tuple(str(fault) for fault in faults[:MAX_FAULTS])}
    return Scored(float(correct), correct, {"call_correct": correct} | _columns(findings) | named)


def _faults(findings: Findings, parameters: Parameters) -> list[CallFault]:
    """Every fault, that of decoding first, since it explains the others."""
    faults = []
    if findings.unread:
        faults.append(CallFault("parse_error", findings.unread))
    faults += [
        CallFault("parse_error", f"{shown(call.name)}: {call.arguments.reason}")
        for call in findings.made
        if isinstance(call.arguments, Faulty)
    ]
    faults += [fault for fault in findings.partner_faults() if fault.kind != "parse_error"]
    faults += findings.schemas.faults
    if parameters.order == "given" and _in_order(findings) is False:
        faults.append(CallFault("wrong_order", "the calls came in another order"))
    return faults


def _in_order(findings: Findings) -> bool | None:
    """Whether the partners of the expected calls came in their order; None below two calls."""
    columns = [column for _, column, _ in findings.pairing.pairs]
    return columns == sorted(columns) if len(columns) > 1 else None


def _columns(findings: Findings) -> dict[str, Part]:
    kinds = [fault.kind for fault in findings.partner_faults()]
    pairing, wanted = findings.pairing, findings.wanted
    broken = any(isinstance(call.arguments, Faulty) for call in findings.made)
    paired = bool(wanted) and not pairing.missing
    read = paired and "wrong_name" not in kinds and "parse_error" not in kinds
    return {
        "name": paired and "wrong_name" not in kinds if wanted else None,
        "schema_valid": findings.schemas.valid,
        "arguments": read and not ARGUMENT_KINDS & set(kinds) if wanted else None,
        "order": _in_order(findings),
        "extra_calls": len(pairing.extra),
        "missing_calls": len(pairing.missing),
        "abstention": None if wanted else not (findings.made or findings.unread),
        "parse_error": bool(findings.unread) or broken,
        "right_calls": sum(not found for _, _, found in pairing.pairs),
        "schema_set_aside": findings.schemas.set_aside,
        "schema_unusable": findings.schemas.unusable,
    }


TOOL_CALL = Kind(
    "tool_calls",
    1,
    Parameters,
    lambda rules: partial(tool_call, rules),
    engine=lambda _: {"engine": ENGINE, "matching": "optimal"},
    answers_needed=False,
    reads_text=False,
)
