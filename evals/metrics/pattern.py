"""Regular expressions in time linear in the text: RE2, which cannot be made to backtrack."""

import re
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import version
from typing import Annotated, Any, Literal

import re2

from evals.metrics.base import Expected, Kind, Output, Result, Score, Scored, Unscored, text_of
from evals.metrics.parameters import ParameterError, Within
from evals.metrics.texts import clipped, encodable, has_lone_surrogate

# Matching takes text × program at worst. 16 KB of pattern fits what people write; counted
# repeats are what makes a short pattern large.
MAX_PROGRAM = 10_000
MAX_MEMORY = 32 << 20
CURES = {
    r"invalid perl operator: \(\?[=!<]": "look-ahead and look-behind are not supported, since "
    "they cannot run in linear time. Match the text around it as well",
    r"invalid escape sequence: \\[1-9]": "back-references are not supported, since they cannot "
    "run in linear time. Write the alternatives out",
    r"invalid escape sequence": "no such escape. Write \\\\ for a backslash",
    r"invalid repetition size": "more than 1000 repeats. Repeat fewer, or use * or +",
    r"missing \)": "a ( is not closed. Add a ), or write \\( for the character",
    r"unexpected \)": "a ) was never opened. Add a (, or write \\) for the character",
    r"missing \]": "a [ is not closed. Add a ], or write \\[ for the character",
    r"no argument for repetition": "there is nothing before it to repeat. Write \\ before it if "
    "the character is meant",
    r"bad repetition operator": "two repeats follow each other. Put the first in parentheses",
    r"invalid character class range": "the range runs backwards. Swap its ends",
    r"too large|out of memory": "it is too large. Repeat fewer times",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """`pattern` counts for every case; without it a case's expected answers are patterns."""

    pattern: Annotated[str, Within(1, 2_000)] | None = None
    match: Literal["search", "whole"] = "search"
    ignore_case: bool = False
    dot_matches_newline: bool = False
    must_match: bool = True


@dataclass(frozen=True, slots=True)
class Flags:
    ignore_case: bool
    dot_matches_newline: bool


@lru_cache(maxsize=512)
def compile_pattern(pattern: str, flags: Flags) -> Any:
    """`pattern` by RE2; multi-line anchors off, Unicode on.

    Raises
    ------
    ParameterError
        With the fault in words and its cure.
    """
    if has_lone_surrogate(pattern):
        raise _refused(pattern, "it holds half of a surrogate pair. Write the whole character")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    options.case_sensitive = not flags.ignore_case
    options.dot_nl = flags.dot_matches_newline
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise _refused(pattern, _in_words(error)) from None
    if compiled.programsize > MAX_PROGRAM:
        raise _refused(pattern, "it is too large. Repeat fewer times")
    return compiled


def _in_words(error: Exception) -> str:
    found = error.args[0] if error.args else b""
    said = found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)
    for known, cure in CURES.items():
        if re.search(known, said):
            return f"{said}: {cure}"
    return f"{said}. Correct it"


def _refused(pattern: str, fault: str) -> ParameterError:
    shown = clipped(pattern, 60)
    return ParameterError("pattern", f"regex: the pattern {shown!r} cannot be used: {fault}.")


def regex(parameters: Parameters, output: Output, expected: Expected) -> Result:
    """1 if the pattern, or one of the case's patterns, matches (or none, `must_match` false)."""
    fixed = parameters.pattern
    patterns = (fixed,) if fixed is not None else expected.answers
    if not patterns:
        return Unscored("there is no pattern: neither the scorer nor the case names one")
    flags = Flags(parameters.ignore_case, parameters.dot_matches_newline)
    try:
        compiled = [compile_pattern(pattern, flags) for pattern in patterns]
    except ParameterError as error:
        return Unscored(str(error))
    text = encodable(text_of(output))
    found = _first_match(compiled, text, parameters.match)
    passed = (found is not None) == parameters.must_match
    shown = None if found is None else clipped(found, 200)
    return Scored(float(passed), passed, {"matched": shown})


def _first_match(patterns: list[Any], text: str, match: str) -> str | None:
    for pattern in patterns:
        found = pattern.fullmatch(text) if match == "whole" else pattern.search(text)
        if found is not None:
            return str(found.group())
    return None


def prepare(parameters: Parameters) -> Score:
    if parameters.pattern is not None:
        flags = Flags(parameters.ignore_case, parameters.dot_matches_newline)
        compile_pattern(parameters.pattern, flags)
    return partial(regex, parameters)


REGEX = Kind(
    "regex",
    1,
    Parameters,
    prepare,
    engine=lambda _: {"engine": f"google-re2 {version('google-re2')}"},
    answers_needed=False,
)
