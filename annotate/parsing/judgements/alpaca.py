"""AlpacaEval's annotations: a judge's preference between two generators, by the instruction."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from annotate.parsing.contract import JSON, Record
from annotate.parsing.faults import shown
from annotate.parsing.judgements import words
from annotate.parsing.judgements.contract import JudgementOptions, Said, Study
from annotate.parsing.judgements.notes import Notes
from annotate.parsing.judgements.tools import Tool, first_text

# 1 is the first output, 2 the second, 1.5 a tie; old files write 0 for a tie.
TIES = (0.0, 1.5)
Z = NormalDist().inv_cdf(0.975)


@dataclass(slots=True)
class _Weights:
    """How much of each comparison the judge gave the candidate, added up (Welford)."""

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0
    are_soft: bool = False

    def add(self, weight: float) -> None:
        self.n += 1
        apart = weight - self.mean
        self.mean += apart / self.n
        self.squares += apart * (weight - self.mean)
        self.are_soft = self.are_soft or weight not in (0, 0.5, 1)

    def in_words(self) -> str:
        """The win rate as AlpacaEval has it, which the choices that are stored do not have."""
        told = f"As the judge weighed them, the candidate wins {100 * self.mean:.2f}\u202f% "
        if self.n > 1:
            error = sqrt(self.squares / (self.n - 1) / self.n)
            reach = Z * error
            told += (
                f"({100 * max(0.0, self.mean - reach):.2f} to "
                f"{100 * min(1.0, self.mean + reach):.2f}\u202f% at 95\u202f%, normal; standard "
                f"error {100 * error:.2f} points) "
            )
        return (
            f"{told}of {self.n:,} comparison{'s, each' if self.n > 1 else ','} taken as "
            "independent. Pages count whole choices, each for the nearer output."
        )


class AlpacaEval(Tool):
    """A row an instruction, judged once by one annotator."""

    recognised = "annotations of AlpacaEval"

    def __init__(self, study: Study, options: JudgementOptions, notes: Notes) -> None:
        super().__init__(study, options, notes)
        self._weights = _Weights()
        if not (options.baseline or options.candidate):
            text = "The second generator is taken for the candidate, as AlpacaEval has it."
            notes.remark("which_output", text)

    @staticmethod
    def fits(values: Mapping[str, JSON]) -> bool:
        return {"instruction", "preference"} <= values.keys() and bool(
            {"generator_1", "generator_2", "output_1", "output_2"} & values.keys()
        )

    def said(self, record: Record) -> Iterator[Said]:
        values = record.values
        preference = values.get("preference")
        if words.is_empty(preference):
            self.notes.leave_out("annotations that failed")
            return
        names = [first_text(values, (f"generator_{n}",)) or "" for n in (1, 2)]
        for name in names:
            self.notes.report.models[name] = self.notes.report.models.get(name, 0) + 1
        turned = self._turned(names)
        if turned is None:
            self.notes.leave_out("comparisons of other models")
            return
        before = self.notes.faults
        strength = self._strength(record, preference, turned=turned)
        instruction = self.notes.take(record, "instruction", values.get("instruction"), words.text)
        if instruction is None and self.notes.faults == before:
            self.notes.fault(record, "empty_value", "empty. Write the instruction.", "instruction")
        judge = first_text(values, ("annotator",)) or self.options.annotator or "AlpacaEval"
        annotator = self.notes.take(record, "annotator", judge, words.name)
        if self.notes.faults > before or strength is None or annotator is None:
            return
        outputs = [first_text(values, (f"output_{number}",)) for number in (1, 2)]
        yield Said(
            row=record.row,
            line=record.line,
            annotator=annotator,
            strength=-strength if turned else strength,
            item_id=first_text(values, ("item_id",)) or "",
            prompt=instruction,
            baseline_output=outputs[1] if turned else outputs[0],
            candidate_output=outputs[0] if turned else outputs[1],
            category=first_text(values, ("dataset",)) or "",
        )

    def _turned(self, names: list[str]) -> bool | None:
        """Whether the first output is the candidate's; None where other models are compared."""
        wanted = (self.options.baseline, self.options.candidate)
        if not any(wanted):
            return False
        for turned in (False, True):
            pair = names[::-1] if turned else names
            if all(not want or want == name for want, name in zip(wanted, pair, strict=True)):
                return turned
        return None

    def finish(self) -> None:
        if self._weights.are_soft:
            self.notes.remark("soft_mean", self._weights.in_words(), "preference")

    def _strength(self, record: Record, value: JSON, *, turned: bool) -> int | None:
        try:
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                raise ValueError
            number = float(value)
            if number not in TIES and not 1 <= number <= 2:
                raise ValueError
        except ValueError:
            text = f"{shown(str(value), 20)}. Known are numbers from 1 to 2, and 0 for a tie."
            self.notes.fault(record, "unknown_value", text, "preference")
            return None
        weight = 0.5 if number in TIES else number - 1
        self._weights.add(1 - weight if turned else weight)
        if number in TIES:
            return 0
        if number not in (1, 2):
            self.notes.odd(
                record,
                "soft_preference",
                "the preference lies between the two outputs and is counted for the nearer one.",
                "preference",
            )
        return 1 if number > 1.5 else -1
