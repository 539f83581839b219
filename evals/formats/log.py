"""The log of a reading: errors as uploads log them, and remarks that are told once each."""

from dataclasses import dataclass, field

from annotate.parsing.contract import Fault
from annotate.parsing.faults import LINES_NAMED, FaultLog

# Each continues "Lines 3, 8 and 9 more: " and ends with what can be done.
NOTES = {
    "no_target": "the last message is not the assistant's, so there is no expected answer. "
    "Choose a scorer that needs none, or add one.",
    "no_scorer": "nothing is expected and no scorer is named. The outputs can be compared but "
    "not scored by themselves.",
    "repeated_prompt": "the same messages and tools were asked by an earlier case. Each counts; "
    "delete the copies unless they are wanted.",
    "nothing_expected": "the scorer looks for something expected, and the case expects nothing. "
    "Answers to it will have no score. Add what is expected, or remove the scorer.",
    "no_pass_mark": "the scorer gives a value and no pass mark: answers are neither passed nor "
    "failed, and no gate counts them. Where the scorer has pass_at, set it.",
    "tool_name_dotted": "a tool's name has a dot, which many endpoints refuse. Stored outputs can "
    "be scored; rename the tools before a run.",
    "no_answer": "the request has neither an answer nor an error in these files. It counts as "
    "failed.",
    "prompt_missing": "the file holds answers without their prompts. Add the file of the "
    "requests to see them.",
    "failed": "the system answered with an error. It is kept and counts as failed.",
    "undecodable_call": "the arguments of a tool call are not valid JSON. They are kept as they "
    "are and count as wrong.",
    "cut_off": "the output was cut off at its length limit. It is kept and marked.",
    "unscored": "a score is NaN or missing. It is kept as not scored, never as 0.",
    "from_cache": "the answer came from a cache, so it has no latency.",
    "no_text": "the file has no generated text here, only likelihoods.",
    "chosen_continuation": "the text is the continuation with the highest likelihood; nothing "
    "was generated.",
    "unfinished": "the log is of a run that did not end. What it has is read.",
    "several_calls": "the system called its model several times for one answer; the latency is "
    "that of the last call.",
}


@dataclass(slots=True)
class _Tally:
    row: int | None
    line: int | None
    file: str
    count: int = 0
    lines: list[int] = field(default_factory=list)


class Log(FaultLog):
    """Adds remarks of this room to the log of uploads."""

    def __init__(self) -> None:
        super().__init__()
        self._noted: dict[tuple[str, str], _Tally] = {}

    fault = FaultLog.error

    def note(self, code: str, row: int | None, line: int | None, file: str = "") -> None:
        tally = self._noted.setdefault((code, file), _Tally(row, line, file))
        tally.count += 1
        if line is not None and len(tally.lines) < LINES_NAMED:
            tally.lines.append(line)

    def warnings(self) -> list[Fault]:
        told = [
            Fault(code, f"{_place(tally)}{NOTES[code]}", tally.row, tally.line)
            for (code, _), tally in self._noted.items()
        ]
        return told + super().warnings()


def _place(tally: _Tally) -> str:
    words = [tally.file] if tally.file else []
    if tally.lines:
        numbers = list(dict.fromkeys(tally.lines))
        more = tally.count - len(tally.lines)
        told = ", ".join(str(number) for number in numbers)
        plural = len(numbers) > 1 or more > 0
        words.append(f"{'lines' if plural else 'line'} {told}" + f" and {more:,} more" * (more > 0))
    elif tally.count > 1:
        words.append(f"{tally.count:,} records")
    place = ", ".join(words)
    return f"{place[0].upper()}{place[1:]}: " if place else ""
