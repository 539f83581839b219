"""A suite read to its end: its cases one by one, and all that is wrong or odd with them."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings

from annotate.parsing import JSON, Fault, Limits, Source
from annotate.parsing.faults import MAX_ERRORS
from annotate.parsing.keyindex import KeyIndex
from evals.formats import CaseRecord, Reading, Recognised, ScorerSpec, read_cases
from evals.formats.entries import LIMITS
from evals.formats.log import Log
from evals.metrics import SCORERS, Unscored
from evals.suites.probing import probed, scorer_fault, tool_fault

EXAMPLES = 5
PROGRESS_EVERY_CASES = 500
# A share of fewer cases has an interval too wide to decide anything by.
FEW_CASES = 20
CURE = "Correct what is expected, or choose another scorer."
CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))

Progress = Callable[[int], None]


@dataclass
class SuiteReport:
    """What was found. `cases` counts those that were read, also of a file that is refused."""

    recognised: Sequence[Recognised] = ()
    format: str = ""
    cases: int = 0
    digest: str = ""
    errors: Sequence[Fault] = ()
    error_count: int = 0
    warnings: Sequence[Fault] = ()
    categories: dict[str, int] = field(default_factory=dict)
    splits: dict[str, int] = field(default_factory=dict)
    scorers: dict[str, int] = field(default_factory=dict)
    examples: list[CaseRecord] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        return self.error_count == 0 and self.cases > 0


def limits_of_this_site() -> Limits:
    """As for batches; but cases hold schemas, which nest deeper."""
    return Limits(**settings.UPLOAD_LIMITS | {"max_json_depth": LIMITS.max_json_depth})


class SuiteDigest:
    """SHA-256 of the cases as canonical JSON, in their order, one a line."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()

    def add(self, case: CaseRecord) -> bytes:
        """Count `case` in; the answer is its line."""
        line = canonical(case.as_data())
        self._sha.update(line)
        return line

    @property
    def text(self) -> str:
        return self._sha.hexdigest()


def canonical(data: Mapping[str, JSON]) -> bytes:
    return CANONICAL.encode(data).encode() + b"\n"


class SuiteReading:
    """The cases of some files. Iterate to the end before trusting `report`."""

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        format: str | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._has_files = bool(sources)
        self._reading: Reading[CaseRecord] = read_cases(
            sources, format=format, scorers=SCORERS, limits=limits_of_this_site()
        )
        self._progress = progress
        self.report = SuiteReport()

    def __iter__(self) -> Iterator[CaseRecord]:
        report = self.report = SuiteReport()
        if not self._has_files:
            report.errors, report.error_count = [Fault("no_file", "No file was given.")], 1
            return
        checker = CaseChecker(report)
        for case in self._reading:
            checker.look_at(case)
            if self._progress and report.cases % PROGRESS_EVERY_CASES == 0:
                self._progress(report.cases)
            yield case
        checker.finish(self._reading)


class CaseChecker:
    """Looks at each case as its scorer will, and gathers what a report tells."""

    def __init__(self, report: SuiteReport) -> None:
        self._report = report
        self._log = Log()
        self._prompts = KeyIndex()

    def look_at(self, case: CaseRecord) -> None:
        report = self._report
        report.cases += 1
        if len(report.examples) < EXAMPLES:
            report.examples.append(case)
        _count(report.categories, case.category)
        _count(report.splits, case.split)
        _count(report.scorers, case.scorer.name if case.scorer else "")
        asked = canonical({"messages": list(case.messages), "tools": list(case.tools)})
        if self._prompts.first(report.cases, asked.decode()) != report.cases:
            self._log.note("repeated_prompt", case.row, case.line)
        self._check_scoring(case)

    def _check_scoring(self, case: CaseRecord) -> None:
        if fault := tool_fault(case.tools):
            self._fault(case, "bad_tool", "tools", fault)
        elif case.scorer is None:
            return
        elif fault := scorer_fault(case.scorer):
            self._fault(case, "bad_scorer", "scorer", fault)
        else:
            self._probe(case, case.scorer)

    def _probe(self, case: CaseRecord, scorer: ScorerSpec) -> None:
        result = probed(case, scorer)
        if isinstance(result, Unscored):
            self._tell_unscored(case, scorer.name, result.reason)
        elif result.passed is None:
            self._log.note("no_pass_mark", case.row, case.line)

    def _tell_unscored(self, case: CaseRecord, scorer: str, reason: str) -> None:
        """Nothing expected may be meant so; what is expected and cannot be used is a mistake."""
        if not case.expected.as_data():
            self._log.note("nothing_expected", case.row, case.line)
            return
        start = "" if reason.startswith(f"{scorer}: ") else f"{scorer}: "
        # A whole sentence brings its cure with it.
        cure = "" if reason.endswith(".") else f". {CURE}"
        self._fault(case, "bad_expected", "expected", f"{start}{reason}{cure}")

    def _fault(self, case: CaseRecord, code: str, column: str, text: str) -> None:
        self._log.fault(code, text, row=case.row, line=case.line, column=column)

    def finish(self, reading: Reading[CaseRecord]) -> None:
        """Join what the reader of the format found with what was found here."""
        report, found = self._report, reading.report
        report.recognised = found.recognised
        mains = [one.format for one in found.recognised if one.kind == "cases"]
        report.format = mains[0] if mains else ""
        errors = [*found.errors, *self._log.errors]
        report.errors = sorted(errors, key=_place)[:MAX_ERRORS]
        report.error_count = found.error_count + self._log.error_count
        # Of a file that is refused not every case was counted.
        few = [] if report.error_count else few_cases(report)
        report.warnings = [*found.warnings, *self._log.warnings(), *few]


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1


def _place(fault: Fault) -> int:
    """What concerns the whole file comes first."""
    return fault.line or 0


def few_cases(report: SuiteReport) -> list[Fault]:
    """A remark on the categories that are too small to decide anything by."""
    small = {name: n for name, n in report.categories.items() if n < FEW_CASES}
    if not small:
        return []
    named = ", ".join(f"{name[:40]} ({n})" for name, n in list(small.items())[:8])
    more = f" and {len(small) - 8:,} more" if len(small) > 8 else ""
    text = (
        f"Fewer than {FEW_CASES} cases in {named}{more}. Intervals of so few are wide: "
        "a gate will seldom be able to decide by them. Add cases where it matters."
    )
    return [Fault("few_cases", text)]
