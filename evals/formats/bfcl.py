"""BFCL: questions with their tools, and the accepted answers from the file beside them."""

import itertools
import re
from collections.abc import Iterator

from annotate.parsing.contract import JSON
from annotate.parsing.faults import shown
from evals.formats.chat import ShapeError, conversation, tools_of
from evals.formats.entries import Entry
from evals.formats.reading import Job, Parts, Unique, entries_of
from evals.formats.records import (
    Argument,
    CaseRecord,
    Expected,
    ExpectedCall,
    Fields,
    Message,
    ScorerSpec,
)
from evals.formats.values import a_dict, a_key, a_list, numbers, rest

TYPES = {"dict": "object", "float": "number", "tuple": "array", "hashmap": "object"}
TYPES |= {"string": "string", "integer": "integer", "boolean": "boolean", "array": "array"}
MAX_SPELLINGS = 64
NO_CALLS = re.compile(r"(live_)?irrelevance")
TAKEN = frozenset({"id", "question", "function"})
# Its own rule for texts; types and values stay exact.
SCORER = ScorerSpec("tool_calls", {"strings": "bfcl"})


def cases_of_bfcl(job: Job) -> Iterator[CaseRecord]:
    """Cases in the order of the questions; answers in any order."""
    answers = _answers(job)
    asked: set[str] = set()
    for one in job.only("bfcl"):
        for entry in entries_of(one, job):
            parts = Parts(job.log, entry.row, entry.line, one.name)
            case = _case(entry, parts, answers)
            asked.add(case.id)
            if parts.sound:
                _note_names(case, job)
                yield case
    for key in answers.keys() - asked if answers else ():
        line = answers[key][1]
        text = f"the answer {shown(key)} belongs to no question. Add its question or delete it."
        job.log.fault("unknown_id", text, line=line, file=_companion(job))


def _companion(job: Job) -> str:
    return next((one.name for one in job.only("bfcl_answers")), "")


def _answers(job: Job) -> dict[str, tuple[JSON, int]]:
    found: dict[str, tuple[JSON, int]] = {}
    unique = Unique(job.log)
    for one in job.only("bfcl_answers"):
        for entry in entries_of(one, job):
            key = a_key(entry.values.get("id")) or ""
            if not unique.refuse(shown(key), entry.row, entry.line, key):
                found[key] = (entry.values.get("ground_truth"), entry.line)
    return found


def _case(entry: Entry, parts: Parts, answers: dict[str, tuple[JSON, int]]) -> CaseRecord:
    values = entry.values
    key = a_key(values.get("id")) or ""
    if not key:
        parts.fault("bad_case", "the id is missing. Write it.", "id")
    functions: JSON = [_function(a_dict(one)) for one in a_list(values.get("function"))]
    return CaseRecord(
        id=key,
        messages=parts.take("question", lambda: _question(values.get("question")), ()),
        expected=parts.take("ground_truth", lambda: _expected(key, answers), Expected()),
        tools=parts.take("function", lambda: tools_of(functions), ()),
        category=re.sub(r"_[0-9][0-9-]*$", "", key) or "uncategorised",
        scorer=SCORER,
        metadata=rest(values, TAKEN),
        row=entry.row,
        line=entry.line,
    )


def _note_names(case: CaseRecord, job: Job) -> None:
    if any("." in str(a_dict(tool.get("function")).get("name")) for tool in case.tools):
        job.log.note("tool_name_dotted", case.row, case.line)


def _question(value: JSON) -> tuple[Message, ...]:
    """The messages of the only turn: `question` is a list of turns, each a list of messages."""
    turns = a_list(value)
    if turns and all(isinstance(turn, list) for turn in turns):
        if len(turns) > 1:
            raise ShapeError("has several turns with tools in between. Only single turns are read.")
        return conversation(turns[0])
    return conversation(value)


def _expected(key: str, answers: dict[str, tuple[JSON, int]]) -> Expected:
    if key in answers:
        return Expected(tool_calls=_calls(answers[key][0], answers[key][1]))
    if NO_CALLS.match(key):
        return Expected(tool_calls=())
    raise ShapeError(f"no accepted answer for {shown(key)}. Add the file of accepted answers.")


def _calls(value: JSON, line: int) -> tuple[ExpectedCall, ...]:
    if not isinstance(value, list):
        raise ShapeError(f"the accepted answer (line {line}) is not a list of calls. Correct it.")
    return tuple(_call(a_dict(one), line) for one in value)


def _call(value: dict[str, JSON], line: int) -> ExpectedCall:
    if len(value) != 1 or not isinstance(next(iter(value.values())), dict):
        raise ShapeError(f"a call of the accepted answer (line {line}) is not {{name: {{…}}}}.")
    ((name, arguments),) = value.items()
    return ExpectedCall(name, {key: _argument(one) for key, one in a_dict(arguments).items()})


def _argument(value: JSON) -> Argument:
    """A list of accepted values, where "" means that the argument may be left out.

    If "" is all there is, leaving it out is all that is right.
    """
    given = value if isinstance(value, list) else [value]
    accepted = [one for one in given if one != ""]
    return Argument(
        tuple(spelling for one in accepted for spelling in _accepted(one)), optional="" in given
    )


def _accepted(value: JSON) -> list[JSON | Fields]:
    if isinstance(value, dict) and _has_choices(value):
        return [Fields({name: _argument(one) for name, one in value.items()})]
    if isinstance(value, list) and any(_has_choices(a_dict(one)) for one in value):
        return _spellings(value)
    return [numbers(value)]


def _has_choices(value: dict[str, JSON]) -> bool:
    return bool(value) and all(isinstance(one, list) for one in value.values())


def _spellings(value: list[JSON]) -> list[JSON | Fields]:
    """Every way to write a list of objects whose members each have accepted values."""
    choices = [_objects(a_dict(one)) if _has_choices(a_dict(one)) else [one] for one in value]
    told: list[JSON | Fields] = []
    for combination in itertools.product(*choices):
        if len(told) == MAX_SPELLINGS:
            raise ShapeError(f"a list can be written in more than {MAX_SPELLINGS} ways.")
        told.append(numbers(list(combination)))
    return told


def _objects(value: dict[str, JSON]) -> list[JSON]:
    ways: list[dict[str, JSON]] = [{}]
    for name, accepted in value.items():
        ways = [
            way if one == "" else {**way, name: one} for way in ways for one in a_list(accepted)
        ]
        if len(ways) > MAX_SPELLINGS:
            raise ShapeError(f"an object can be written in more than {MAX_SPELLINGS} ways.")
    return list(ways)


def _function(value: dict[str, JSON]) -> JSON:
    parameters = value.get("parameters")
    return {**value, "parameters": _schema(parameters)} if isinstance(parameters, dict) else value


def _schema(value: JSON) -> JSON:
    """The schema with the types that JSON Schema knows; one of any type has none."""
    if not isinstance(value, dict):
        return numbers(value)
    told = {name: _keyword(name, one) for name, one in value.items()}
    if isinstance(value.get("type"), str):
        known = TYPES.get(str(value["type"]).casefold())
        told.pop("type")
        return {"type": known, **told} if known else told
    return told


def _keyword(name: str, value: JSON) -> JSON:
    if name in ("properties", "patternProperties", "$defs", "definitions"):
        return {key: _schema(one) for key, one in a_dict(value).items()}
    if name in ("items", "additionalProperties"):
        return _schema(value)
    if name in ("anyOf", "oneOf", "allOf"):
        return [_schema(one) for one in a_list(value)]
    return numbers(value)
