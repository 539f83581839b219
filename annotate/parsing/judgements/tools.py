"""What the readers of other tools share: ids and sides out of nested data."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from annotate.blinding import Side, unblind
from annotate.parsing.contract import JSON, Record
from annotate.parsing.judgements import words
from annotate.parsing.judgements.contract import Asked, JudgementOptions, Said, Study
from annotate.parsing.judgements.notes import Notes

ITEM_IDS = ("item_id", "question_id", "prompt_id", "external_id")
PROMPTS = ("prompt", "instruction", "question")
BASELINE_OUTPUTS = ("baseline_output", "output_a", "response_a", "baseline")
CANDIDATE_OUTPUTS = ("candidate_output", "output_b", "response_b", "candidate")


class Format(Protocol):
    """Turns each record of one kind of file into what people said."""

    recognised: str
    repeats_are_faults: bool

    def said(self, record: Record) -> Iterator[Said]: ...

    def finish(self) -> None: ...


def first_text(values: Mapping[str, JSON], names: Sequence[str]) -> str | None:
    """The first of these that is a text or a whole number."""
    for name in names:
        value = values.get(name)
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            return str(value)
    return None


def objects(value: JSON) -> list[dict[str, JSON]]:
    """The objects of a list; nothing where it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def mapping_of(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}


class Tool:
    """What the readers of annotation tools share."""

    repeats_are_faults = False

    def __init__(self, study: Study, options: JudgementOptions, notes: Notes) -> None:
        self.study = study
        self.options = options
        self.notes = notes
        self.systems = (study.baseline, study.candidate)

    def finish(self) -> None:
        """Nothing is left to say."""

    def texts(self, data: Mapping[str, JSON]) -> dict[str, Any]:
        """The item's prompt and outputs, where the data hold them under names we know."""
        mapped = {role: column for column, role in self.options.mapping.items() if column in data}
        fields = {
            "item_id": ITEM_IDS,
            "prompt": PROMPTS,
            "baseline_output": BASELINE_OUTPUTS,
            "candidate_output": CANDIDATE_OUTPUTS,
            "category": ("category",),
            "batch": ("batch",),
        }
        found: dict[str, Any] = {}
        for field, names in fields.items():
            chosen = (mapped[field],) if field in mapped else names
            value = first_text(data, chosen)
            if value is not None:
                found[field] = value
        return found

    def candidate_side(self, data: Mapping[str, JSON]) -> str | None:
        """Where the candidate stood, by a column of the data or as somebody said."""
        side = first_text(data, ("candidate_side",))
        if side is not None and words.normalised(side) in words.SIDES:
            return words.normalised(side)
        for column, here, there in (("left", "left", "right"), ("right", "right", "left")):
            name = first_text(data, (column,))
            if name is not None and (system := self._system(name)):
                return here if system == "candidate" else there
        return {"baseline": "right", "candidate": "left"}.get(self.options.left)

    def _system(self, name: str) -> str:
        plain = name.strip().casefold()
        for system, called in zip(("baseline", "candidate"), self.systems, strict=True):
            if plain in (system, called.strip().casefold()):
                return system
        return ""

    def preference(
        self, record: Record, where: str, value: JSON, side: str | None
    ) -> tuple[int, bool] | None:
        """What a word of the tool means; None, with the fault logged, where it means nothing."""
        chosen = words.side_chosen(value)
        if chosen is None:
            return self.notes.take(
                record, where, value, lambda one: words.preference(one, self.systems)
            )
        if side is None:
            text = (
                "left or right was chosen, and the file does not say which output stood where. "
                "Say what was on the left (--left baseline or --left candidate), or add a column "
                "candidate_side to the data."
            )
            self.notes.fault_once(record, "which_side", text, where)
            return None
        return unblind(chosen, Side(side)), False

    def criterion(self, question: str) -> Asked | None:
        """The criterion that a question of the tool is about, if it is one."""
        wanted = words.normalised(self.options.mapping.get(question, question))
        for asked in self.study.criteria:
            if wanted in (words.normalised(asked.key), words.normalised(asked.name)):
                return asked
        return None

    def scored(self, question: str) -> tuple[Asked, int] | None:
        """The scored criterion and system (0 baseline, 1 candidate) of a question, if it is one."""
        wanted = words.normalised(self.options.mapping.get(question, question))
        for asked in self.study.criteria:
            for number, system in enumerate(("baseline", "candidate")):
                starts = (words.normalised(asked.key), words.normalised(asked.name))
                spelled = {f"{start}_{system}" for start in starts}
                spelled |= {f"{system}_{start}" for start in starts}
                if asked.kind == "score" and wanted in spelled:
                    return asked, number
        return None


class Answer:
    """What one person said in one annotation, question by question."""

    def __init__(self) -> None:
        self.overall: tuple[int, bool] | None = None
        self.comparisons: dict[str, int] = {}
        self.halves: dict[str, dict[int, int]] = {}
        self.comment: list[str] = []

    @property
    def scores(self) -> dict[str, tuple[int, int]]:
        return {key: (two[0], two[1]) for key, two in self.halves.items() if len(two) == 2}
