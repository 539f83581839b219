"""Label Studio's JSON export: tasks with annotations, each with results by control."""

from collections.abc import Iterator, Mapping
from typing import Any

from annotate.parsing.contract import JSON, Record
from annotate.parsing.faults import shown
from annotate.parsing.judgements import words
from annotate.parsing.judgements.contract import Said
from annotate.parsing.judgements.tools import Answer, Tool, first_text, mapping_of, objects


class LabelStudio(Tool):
    """A task an item, an annotation a judgement."""

    recognised = "an export of Label Studio (JSON)"

    @staticmethod
    def fits(values: Mapping[str, JSON]) -> bool:
        return isinstance(values.get("annotations"), list) and isinstance(values.get("data"), dict)

    def said(self, record: Record) -> Iterator[Said]:
        data = mapping_of(record.values.get("data"))
        item = self.texts(data)
        item.setdefault("item_id", first_text(data, ("id",)) or "")
        if not item["item_id"] and "prompt" not in item:
            item["item_id"] = first_text(record.values, ("id",)) or ""
        side = self.candidate_side(data)
        annotations = objects(record.values.get("annotations"))
        if not annotations:
            self.notes.leave_out("tasks without an annotation")
        for annotation in annotations:
            yield from self._annotation(record, annotation, item, side)

    def _annotation(
        self, record: Record, annotation: dict[str, JSON], item: dict[str, Any], side: str | None
    ) -> Iterator[Said]:
        if annotation.get("was_cancelled") is True:
            self.notes.leave_out("skipped by the annotator")
            return
        before = self.notes.faults
        annotator = self._annotator(record, annotation)
        answer = Answer()
        for result in objects(annotation.get("result")):
            self._result(record, result, side, answer)
        if answer.overall is None and self.notes.faults == before:
            self.notes.leave_out("annotations without a preference")
            return
        seconds = annotation.get("lead_time")
        moment = annotation.get("created_at")
        extra = {
            "seconds": self.notes.take(record, "lead_time", seconds, words.seconds),
            "judged_at": self.notes.time(record, "created_at", moment),
        }
        if self.notes.faults > before or answer.overall is None or annotator is None:
            return
        yield Said(
            row=record.row,
            line=record.line,
            annotator=annotator,
            strength=answer.overall[0],
            both_bad=answer.overall[1],
            side=side,
            comment="\n".join(answer.comment),
            comparisons=answer.comparisons,
            scores=answer.scores,
            **item,
            **extra,  # type: ignore[arg-type]
        )

    def _annotator(self, record: Record, annotation: dict[str, JSON]) -> str | None:
        who = annotation.get("completed_by")
        if isinstance(who, dict):
            who = first_text(who, ("email", "id"))
        if words.is_empty(who):
            if self.options.annotator:
                return self.options.annotator
            text = "nobody is named. Say who judged (--annotator NAME)."
            self.notes.fault(record, "empty_value", text, "completed_by")
            return None
        return self.notes.take(record, "completed_by", who, words.name)

    def _result(
        self, record: Record, result: dict[str, JSON], side: str | None, answer: Answer
    ) -> None:
        control = first_text(result, ("from_name",)) or ""
        value = mapping_of(result.get("value"))
        kind = result.get("type")
        if kind == "textarea":
            texts = value.get("text")
            parts = texts if isinstance(texts, list) else [texts]
            for part in parts:
                if taken := self.notes.take(record, control, part, words.text):
                    answer.comment.append(taken)
        elif kind == "rating" or kind == "number":
            self._number(record, control, value, answer)
        elif kind == "pairwise":
            self._chosen(record, control, value.get("selected"), side, answer)
        elif kind == "choices":
            choices = value.get("choices")
            for choice in choices if isinstance(choices, list) else []:
                self._chosen(record, control, choice, side, answer)

    def _number(self, record: Record, control: str, value: dict[str, JSON], answer: Answer) -> None:
        number = value.get("rating", value.get("number"))
        if found := self.scored(control):
            asked, system = found
            score = self.notes.take(record, control, number, words.score)
            if score is not None:
                answer.halves.setdefault(asked.key, {})[system] = score
            return
        if self.options.mapping.get(control) in ("preference", "strength"):
            strength = self.notes.take(record, control, number, words.strength)
            if strength is not None:
                answer.overall = (strength, False)
            return
        text = "no criterion of the study has this name, so the numbers are passed over."
        self.notes.odd(record, "unknown_question", f"{shown(control, 40)}: {text}", control)

    def _chosen(
        self, record: Record, control: str, value: JSON, side: str | None, answer: Answer
    ) -> None:
        asked = self.criterion(control)
        said = self.preference(record, control, value, side)
        if said is None:
            return
        if asked is not None:
            answer.comparisons[asked.key] = (said[0] > 0) - (said[0] < 0)
            return
        # A pairwise control has no tie of its own: a choice beside it says so.
        if answer.overall is not None and answer.overall[0] * said[0] < 0:
            text = f"{shown(str(value), 20)} contradicts what was chosen beside it. Correct one."
            self.notes.fault(record, "contradiction", text, control)
        elif answer.overall is None or said[0] == 0:
            answer.overall = said
