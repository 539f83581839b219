"""JSON Schema by jsonschema-rs, offline: nothing that a schema refers to is ever fetched."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import version
from itertools import islice
from typing import Any, Literal

import jsonschema_rs

from evals.metrics.base import (
    Expected,
    Kind,
    Output,
    Part,
    Result,
    Score,
    Scored,
    Unscored,
    text_of,
)
from evals.metrics.json_text import Faulty, Fences, decode_answer
from evals.metrics.parameters import ParameterError
from evals.metrics.texts import clipped

Draft = Literal["auto", "4", "6", "7", "2019-09", "2020-12"]
DRAFTS = {
    "4": jsonschema_rs.Draft4Validator,
    "6": jsonschema_rs.Draft6Validator,
    "7": jsonschema_rs.Draft7Validator,
    "2019-09": jsonschema_rs.Draft201909Validator,
    "2020-12": jsonschema_rs.Draft202012Validator,
}
NAMES = {kind: name for name, kind in DRAFTS.items()}
ENGINE = f"jsonschema-rs {version('jsonschema-rs')}"
MAX_FAULTS = 10
FAULT_CHARS = 200
Schema = Mapping[str, Any] | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """`schema` counts for every case; without it each case brings its own.

    `draft` auto follows "$schema", and is 2020-12 without it. `formats` decides whether "format"
    is checked; unknown formats never are.
    """

    schema: Mapping[str, Any] | bool | None = None
    draft: Draft = "auto"
    formats: bool = True
    fences: Fences = "refuse"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A schema ready for use, and the draft it is read by."""

    validator: Any
    draft: str

    def faults(self, value: object) -> tuple["SchemaFault", ...]:
        """The first faults of `value`. It must have been decoded by `decode_json`."""
        found = islice(self.validator.iter_errors(value), MAX_FAULTS)
        return tuple(
            SchemaFault(tuple(error.instance_path), error.kind.name, error.kind.as_dict(), error)
            for error in found
        )


@dataclass(frozen=True, slots=True)
class SchemaFault:
    path: tuple[str | int, ...]
    keyword: str
    details: Mapping[str, Any]
    error: Any

    @property
    def text(self) -> str:
        where = "/".join(map(str, self.path)) or "the value"
        return clipped(f"{where}: {self.error.message}", FAULT_CHARS)


def compile_schema(schema: Schema, draft: Draft = "auto", formats: bool = True) -> Compiled:
    """`schema` ready for use.

    Raises
    ------
    ParameterError
        If it is no schema, refers to something outside of itself, or has a pattern that cannot
        run in linear time.
    """
    try:
        text = json.dumps(schema, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        message = "the schema is no JSON, or nested too deeply. Write it as plain JSON."
        raise ParameterError("schema", message) from None
    return _compiled(text, draft, formats)


@lru_cache(maxsize=256)
def _compiled(text: str, draft: Draft, formats: bool) -> Compiled:
    schema = json.loads(text)
    # Linear-time patterns only, and no retrieval whatever a "$ref" says.
    options: dict[str, Any] = {
        "pattern_options": jsonschema_rs.RegexOptions(),
        "validate_formats": formats,
        "offline": True,
    }
    try:
        made: Any = jsonschema_rs.validator_for if draft == "auto" else DRAFTS[draft]
        validator = made(schema, **options)
    except jsonschema_rs.ValidationError as error:
        raise _refused(error.message) from None
    except (ValueError, UnicodeEncodeError, jsonschema_rs.ReferencingError) as error:
        raise _refused(str(error)) from None
    return Compiled(validator, NAMES[type(validator)])


CURES = {
    "retriev": "A schema may refer only to itself: copy what it refers to into its $defs",
    "Unknown meta-schema": 'Remove "$schema", or name one of the drafts 4, 6, 7, 2019-09, 2020-12',
    'is not a "regex"': "Patterns run in linear time: no look-around, no back-reference",
    "Recursion limit": "It is nested too deeply: flatten it",
}


def _refused(said: str) -> ParameterError:
    cures = (cure for known, cure in CURES.items() if known in said)
    cure = next(cures, "Correct the schema")
    return ParameterError("schema", f"the schema cannot be used: {clipped(said, 200)}. {cure}.")


def json_schema(parameters: Parameters, output: Output, expected: Expected) -> Result:
    """1 if the whole answer is JSON and valid by the schema."""
    schema = parameters.schema if parameters.schema is not None else expected.schema
    if schema is None:
        return Unscored("there is no schema: neither the scorer nor the case has one")
    try:
        compiled = compile_schema(schema, parameters.draft, parameters.formats)
    except ParameterError as error:
        return Unscored(str(error))
    found = decode_answer(text_of(output), parameters.fences)
    named: dict[str, Part] = {"draft": compiled.draft, "engine": ENGINE}
    if isinstance(found, Faulty):
        return Scored(0.0, False, named | {"json": False, "fault": found.reason})
    faults = compiled.faults(found.value)
    told: dict[str, Part] = {
        "json": True,
        "fault": faults[0].text if faults else None,
        "faults": tuple(fault.text for fault in faults),
    }
    return Scored(float(not faults), not faults, named | told)


def prepare(parameters: Parameters) -> Score:
    if parameters.schema is not None:
        compile_schema(parameters.schema, parameters.draft, parameters.formats)
    return partial(json_schema, parameters)


def _engine(parameters: Parameters) -> dict[str, str]:
    named = {"engine": ENGINE}
    if parameters.schema is None:
        return named
    compiled = compile_schema(parameters.schema, parameters.draft, parameters.formats)
    return named | {"read_as": f"draft {compiled.draft}"}


JSON_SCHEMA = Kind("json_schema", 1, Parameters, prepare, engine=_engine, answers_needed=False)
