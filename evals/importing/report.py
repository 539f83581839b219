"""What was found in files of outputs, how it joins a suite, and what would come in."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from annotate.parsing import Fault
from annotate.reports import faults_as_json, storable
from evals.formats import Recognised, ScorerSpec

Join = Literal["auto", "id", "prompt"]
JOINS: tuple[Join, ...] = ("auto", "id", "prompt")
EXAMPLES = 5
EXAMPLE_CHARS = 1_000
LABEL_CHARS = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read.

    `pick` is the system, filter or run in the file that is meant, None where it has only one;
    `sample` which of several answers to one case. `join`: by ids, by prompts, or whichever fits.
    `suite_name` and `scorer` are for a suite that is made of the file.
    """

    pick: str | None = None
    sample: int = 1
    join: Join = "auto"
    suite_name: str = ""
    scorer: ScorerSpec | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One of the first records, cut short."""

    line: int
    key: str
    prompt: str
    output: str
    error: str


@dataclass
class OutputsReport:
    """What a reading found. `joined_by` is "id", "prompt", or "file" for a suite made of it.

    `unmatched` records belong to no case and are left out; `missing` cases have no record and
    come in as errors. Of both the first are named.
    """

    recognised: Sequence[Recognised] = ()
    format: str = ""
    systems: dict[str, int] = field(default_factory=dict)
    records: int = 0
    failed: int = 0
    cut_off: int = 0
    samples: int = 0
    models: dict[str, int] = field(default_factory=dict)
    suite: str = ""
    suite_is_new: bool = False
    joined_by: str = ""
    cases: int = 0
    matched: int = 0
    missing: int = 0
    first_missing: list[str] = field(default_factory=list)
    unmatched: int = 0
    first_unmatched: list[tuple[int, str]] = field(default_factory=list)
    errors: list[Fault] = field(default_factory=list)
    error_count: int = 0
    warnings: list[Fault] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    digest: str = ""

    @property
    def accepted(self) -> bool:
        return self.error_count == 0 and self.matched > 0

    @property
    def choice_needed(self) -> bool:
        return any(fault.code in ("choice_needed", "choice_unknown") for fault in self.errors)

    def refuse(self, code: str, message: str, line: int | None = None) -> None:
        self.errors.append(Fault(code, message, None, line))
        self.error_count += 1

    def as_data(self) -> dict[str, Any]:
        """The same as JSON that can be stored, sent and shown."""
        return {
            "recognised": [[one.format, one.words] for one in self.recognised],
            "format": self.format,
            # Pairs: the order of systems is that of the file.
            "systems": [[storable(name), count] for name, count in self.systems.items()],
            "records": self.records,
            "failed": self.failed,
            "cut_off": self.cut_off,
            "samples": self.samples,
            "models": [[storable(name)[:LABEL_CHARS], n] for name, n in self.models.items()],
            "suite": self.suite,
            "suite_is_new": self.suite_is_new,
            "joined_by": self.joined_by,
            "cases": self.cases,
            "matched": self.matched,
            "missing": self.missing,
            "first_missing": [storable(one)[:LABEL_CHARS] for one in self.first_missing],
            "unmatched": self.unmatched,
            "first_unmatched": [
                [line, storable(key)[:LABEL_CHARS]] for line, key in self.first_unmatched
            ],
            "accepted": self.accepted,
            "errors": faults_as_json(self.errors),
            "error_count": self.error_count,
            "warnings": faults_as_json(self.warnings),
            "examples": [asdict(one) for one in self.examples],
        }


def cut(text: str | None, limit: int = EXAMPLE_CHARS) -> str:
    told = storable(text or "")
    return told if len(told) <= limit else told[:limit] + " …"
