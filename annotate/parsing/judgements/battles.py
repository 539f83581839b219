"""Battles of two models: LMArena in both vocabularies, MT-bench's human votes, the Kaggle CSV."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from annotate.parsing.chat import chat_messages
from annotate.parsing.contract import JSON, Record
from annotate.parsing.faults import shown
from annotate.parsing.jsontext import compact
from annotate.parsing.judgements import words
from annotate.parsing.judgements.contract import JudgementOptions, Said, Study
from annotate.parsing.judgements.notes import Notes
from annotate.parsing.judgements.tools import Tool, first_text

MODELS_NAMED = 8
NOBODY = "anonymous"
# What a battle says of its winner: -1 the first model, 1 the second.
WINNERS = {
    "model_a": (-1, False),
    "model_b": (1, False),
    "model_1": (-1, False),
    "model_2": (1, False),
    "tie": (0, False),
    "tie_bothbad": (0, True),
    "both_bad": (0, True),
    "bothbad": (0, True),
}
KAGGLE = ("winner_model_a", "winner_model_b", "winner_tie")


class Battles(Tool):
    """A row a vote of somebody between the answers of two of many models."""

    recognised = "battles of LMArena"

    def __init__(
        self, study: Study, options: JudgementOptions, notes: Notes, seen: Mapping[str, int]
    ) -> None:
        super().__init__(study, options, notes)
        self.baseline, self.candidate = self._systems(seen)

    @staticmethod
    def fits(values: Mapping[str, JSON]) -> bool:
        return {"model_a", "model_b", "winner"} <= values.keys()

    def _systems(self, seen: Mapping[str, int]) -> tuple[str, str]:
        """Which of the models are baseline and candidate: as told, or as the study calls them."""
        baseline = self.options.baseline or self._as_named(self.study.baseline, seen)
        candidate = self.options.candidate or self._as_named(self.study.candidate, seen)
        if not (baseline and candidate):
            names = sorted(seen, key=lambda name: -seen[name])[:MODELS_NAMED]
            listed = ", ".join(f"{shown(name, 60)} ({seen[name]:,})" for name in names)
            text = (
                "the file compares models. Say which one is the baseline and which one the "
                "candidate (--baseline MODEL --candidate MODEL). The first rows compare: "
                f"{listed or 'none'}."
            )
            self.notes.of_file("which_models", text)
        elif baseline == candidate:
            text = f"{shown(baseline, 60)} cannot be both. Name two models."
            self.notes.of_file("which_models", text)
        return baseline, candidate

    @staticmethod
    def _as_named(name: str, seen: Mapping[str, int]) -> str:
        plain = name.strip().casefold()
        return next((model for model in seen if model.strip().casefold() == plain), "")

    def said(self, record: Record) -> Iterator[Said]:
        values = record.values
        first, second = (first_text(values, (key,)) or "" for key in ("model_a", "model_b"))
        for model in (first, second):
            self.notes.report.models[model] = self.notes.report.models.get(model, 0) + 1
        if {first, second} != {self.baseline, self.candidate} or not first:
            self.notes.leave_out("battles of other models")
            return
        won = self._winner(record)
        if won is None:
            return
        turned = first == self.candidate
        before = self.notes.faults
        annotator = self._annotator(record)
        moment = self.notes.time(record, "tstamp", values.get("tstamp"))
        if self.notes.faults > before or annotator is None:
            return
        yield Said(
            row=record.row,
            line=record.line,
            annotator=annotator,
            strength=-won[0] if turned else won[0],
            both_bad=won[1],
            # The first model is the one on the left.
            side="left" if turned else "right",
            judged_at=moment,
            **self.item(values, turned),
        )

    def _winner(self, record: Record) -> tuple[int, bool] | None:
        value = record.values.get("winner")
        word = words.normalised(value) if isinstance(value, str) else ""
        if word in WINNERS:
            return WINNERS[word]
        if word in ("error", "") and not isinstance(value, dict | list):
            self.notes.leave_out("battles without a winner")
            return None
        text = f"{shown(str(value), 40)}. Known are model_a, model_b, tie and both_bad."
        self.notes.fault(record, "unknown_value", text, "winner")
        return None

    def _annotator(self, record: Record) -> str | None:
        for key in ("judge", "evaluation_session_id"):
            value = record.values.get(key)
            if isinstance(value, list):
                value = ", ".join(str(part) for part in value)
            if not words.is_empty(value):
                return self.notes.take(record, key, value, words.name)
        return self._nobody(record)

    def _nobody(self, record: Record) -> str:
        if self.options.annotator:
            return self.options.annotator
        text = (
            f"the file does not say who judged: all count as one person, {NOBODY}, and how far "
            "people agree cannot be known."
        )
        self.notes.odd(record, "nobody_named", text)
        return NOBODY

    def item(self, values: Mapping[str, JSON], turned: bool) -> dict[str, Any]:
        """The item of a battle: its id, and its texts where the conversations are there."""
        found: dict[str, Any] = {"item_id": first_text(values, ("question_id", "id")) or ""}
        if category := first_text(values, ("category",)):
            found["category"] = category
        told = [_conversation(values.get(key)) for key in ("conversation_a", "conversation_b")]
        if told[0] and told[1]:
            outputs = [conversation[1] for conversation in told if conversation]
            found |= _sided(outputs[0], outputs[1], turned) | {"prompt": told[0][0]}
        return found


class MTBench(Battles):
    """MT-bench: eighty questions of two turns, judged turn by turn by several people."""

    recognised = "human judgements of MT-bench"

    @staticmethod
    def fits(values: Mapping[str, JSON]) -> bool:
        arena = {"anony", "evaluation_session_id", "language"} & values.keys()
        return Battles.fits(values) and "turn" in values and "judge" in values and not arena

    def item(self, values: Mapping[str, JSON], turned: bool) -> dict[str, Any]:
        turn = values.get("turn")
        found = super().item(_until(values, turn), turned)
        question = found["item_id"]
        # The second turn is another item: what was asked before belongs to it.
        found["item_id"] = f"{question}-turn-{turn}"
        found["alternative"] = question if turn == 1 else ""
        return found


class Kaggle(Battles):
    """The CSV of 55,000 battles: prompts and responses are JSON lists in cells."""

    recognised = "battles of LMArena (the CSV of 55,000)"

    @staticmethod
    def fits(values: Mapping[str, JSON]) -> bool:
        return {"model_a", "model_b", *KAGGLE} <= values.keys()

    def _winner(self, record: Record) -> tuple[int, bool] | None:
        ones = [str(record.values.get(key)).strip() for key in KAGGLE]
        if sorted(ones) != ["0", "0", "1"]:
            text = f"{', '.join(map(repr, ones))}: exactly one of {', '.join(KAGGLE)} must be 1."
            self.notes.fault(record, "unknown_value", text, KAGGLE[0])
            return None
        return ((-1, False), (1, False), (0, False))[ones.index("1")]

    def item(self, values: Mapping[str, JSON], turned: bool) -> dict[str, Any]:
        found: dict[str, Any] = {"item_id": first_text(values, ("id",)) or ""}
        asked, first, second = (
            _cell(values.get(k)) for k in ("prompt", "response_a", "response_b")
        )
        if asked and first and second:
            found |= _sided(_joined(first), _joined(second), turned) | {"prompt": _asked(asked)}
        return found


def _sided(first: str, second: str, turned: bool) -> dict[str, str]:
    baseline, candidate = (second, first) if turned else (first, second)
    return {"baseline_output": baseline, "candidate_output": candidate}


def _conversation(value: JSON) -> tuple[str, str] | None:
    """What was asked and what was answered."""
    told = chat_messages(value if isinstance(value, str) else compact(value)) if value else None
    if told is None:
        return None
    asked = [text for role, text in told if role != "assistant"]
    answered = [text for role, text in told if role == "assistant"]
    return (_asked(asked), _joined(answered)) if asked and answered else None


def _asked(texts: list[str]) -> str:
    """One question is a text; several are chat messages of one person."""
    if len(texts) == 1:
        return texts[0]
    return json.dumps([{"role": "user", "content": text} for text in texts], ensure_ascii=False)


def _joined(texts: list[str]) -> str:
    """One answer as it is, several with their numbers."""
    if len(texts) == 1:
        return texts[0]
    return "\n\n".join(f"[answer {number}]\n{text}" for number, text in enumerate(texts, start=1))


def _until(values: Mapping[str, JSON], turn: JSON) -> dict[str, JSON]:
    """The same battle with its conversations up to the turn that was judged."""
    if turn != 1:
        return dict(values)
    cut: dict[str, JSON] = dict(values)
    for key in ("conversation_a", "conversation_b"):
        told = values.get(key)
        if isinstance(told, list):
            cut[key] = told[:2]
    return cut


def _cell(value: JSON) -> list[str]:
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return [str(value)]
    parts = found if isinstance(found, list) else [found]
    return [part if isinstance(part, str) else json.dumps(part) for part in parts]
