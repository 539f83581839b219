"""docs/suites.md says of every scorer what is so, and its examples can be imported."""

import json
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any

import pytest

from evals.metrics import KINDS, Kind, ParameterError, scorer_for
from evals.suites import check_suite
from tests.conftest import ROOT
from tests.evals.suite_inputs import source

PAGE = (ROOT / "docs" / "suites.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"```(jsonl|csv|yaml)\n(.*?)```", PAGE, re.DOTALL))


def allowed(kind: Kind[Any], name: str) -> str:
    """What a parameter may be, in the words in which a wrong one is refused."""
    with pytest.raises(ParameterError) as told:
        scorer_for(kind.name, {name: object()})
    return str(told.value).rpartition(" must be ")[2].rstrip(".")


def rows_of(kind: Kind[Any]) -> Iterator[str]:
    for field in fields(kind.parameters):
        default = "" if field.default is MISSING else f"`{json.dumps(field.default)}`"
        words = re.sub(r"'([^']+)'", r"`\1`", allowed(kind, field.name)).replace("|", "\\|")
        yield f"| `{field.name}` | {default} | {words} |"


def section_of(kind: Kind[Any]) -> str:
    start = PAGE.index(f"### `{kind.name}`\n")
    return re.split(r"\n##", PAGE[start + 3 :])[0]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_scorer_is_described_with_exactly_its_parameters(kind: Kind[Any]) -> None:
    rows = [line for line in section_of(kind).splitlines() if line.startswith("| `")]

    assert rows == list(rows_of(kind))


def test_no_scorer_is_described_that_does_not_exist() -> None:
    described = re.findall(r"^### `(\w+)`$", PAGE, re.MULTILINE)

    assert described == [kind.name for kind in KINDS]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "yaml"])
def test_the_examples_come_in_without_a_fault(db: None, ending: str) -> None:
    report = check_suite([source(EXAMPLES[ending], f"example.{ending}")])

    assert report.errors == []
    assert report.cases >= 2
    assert {warning.code for warning in report.warnings} <= {"few_cases", "no_scorer"}
