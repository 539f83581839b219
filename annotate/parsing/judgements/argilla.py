"""Argilla's records: nested (`to_json`), flat (`to_list(flatten=True)`), and those before 2.0."""

from collections.abc import Iterator, Mapping
from typing import Any

from annotate.parsing.contract import JSON, Record
from annotate.parsing.faults import shown
from annotate.parsing.judgements import words
from annotate.parsing.judgements.contract import JudgementOptions, Said, Study
from annotate.parsing.judgements.notes import Notes
from annotate.parsing.judgements.tools import Answer, Tool, first_text, mapping_of, objects

RESPONSES = ".responses"
USUAL = ("preference", "overall", "preferred", "winner", "better", "choice")
SUBMITTED = (None, "submitted")
# (question, value, status) by person.
Responses = dict[str, list[tuple[str, JSON, JSON]]]


class Argilla(Tool):
    """A record an item, the responses of one person a judgement."""

    recognised = "records of Argilla"

    def __init__(self, study: Study, options: JudgementOptions, notes: Notes) -> None:
        super().__init__(study, options, notes)
        mapped = [q for q, role in options.mapping.items() if role in ("preference", "strength")]
        self._overall = {words.normalised(question) for question in mapped or USUAL}

    @staticmethod
    def fits(values: Mapping[str, JSON]) -> bool:
        if any(key.endswith(RESPONSES) for key in values):
            return True
        return isinstance(values.get("fields"), dict) and "responses" in values

    def said(self, record: Record) -> Iterator[Said]:
        values = record.values
        nested = {**mapping_of(values.get("fields")), **mapping_of(values.get("metadata"))}
        data = nested or values
        item = self.texts(data)
        if not item.get("item_id"):
            item["item_id"] = first_text(values, ("external_id", "id")) or ""
        side = self.candidate_side(data)
        responses = _responses(values)
        if not responses:
            self.notes.leave_out("records without a response")
        for who, said in responses.items():
            yield from self._person(record, who, said, item, side)

    def _person(
        self,
        record: Record,
        who: str,
        responses: list[tuple[str, JSON, JSON]],
        item: dict[str, Any],
        side: str | None,
    ) -> Iterator[Said]:
        if any(status not in SUBMITTED for _, _, status in responses):
            self.notes.leave_out("drafts and discarded responses")
            return
        before = self.notes.faults
        annotator = self.notes.take(record, "user_id", who, words.name) or self.options.annotator
        answer = Answer()
        for question, value, _ in responses:
            self._question(record, question, value, side, answer)
        if self.notes.faults > before:
            return
        if answer.overall is None:
            self.notes.leave_out("responses without a preference")
        elif not annotator:
            text = "nobody is named. Say who judged (--annotator NAME)."
            self.notes.fault(record, "empty_value", text, "user_id")
        else:
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
            )

    def _question(
        self, record: Record, question: str, value: JSON, side: str | None, answer: Answer
    ) -> None:
        if words.normalised(question) in self._overall:
            answer.overall = self._preferred(record, question, value, side)
        elif found := self.scored(question):
            asked, system = found
            score = self.notes.take(record, question, value, words.score)
            if score is not None:
                answer.halves.setdefault(asked.key, {})[system] = score
        elif (asked_for := self.criterion(question)) is not None:
            said = self._preferred(record, question, value, side)
            if said is not None:
                answer.comparisons[asked_for.key] = (said[0] > 0) - (said[0] < 0)
        elif words.normalised(question) in ("comment", "comments", "reason", "rationale"):
            if taken := self.notes.take(record, question, value, words.text):
                answer.comment.append(taken)
        else:
            text = (
                f"the question {shown(question, 40)} is neither the preference nor a criterion, "
                "and is passed over. If it is, say so (--map QUESTION=preference)."
            )
            self.notes.odd(record, "unknown_question", text, question)

    def _preferred(
        self, record: Record, question: str, value: JSON, side: str | None
    ) -> tuple[int, bool] | None:
        if isinstance(value, list):
            return self._ranked(record, question, value, side)
        return self.preference(record, question, value, side)

    def _ranked(
        self, record: Record, question: str, value: list[JSON], side: str | None
    ) -> tuple[int, bool] | None:
        """A ranking of the two outputs: the first one is preferred, an equal rank is a tie."""
        ranks: dict[int, float] = {}
        for place, one in enumerate(value):
            entry = one if isinstance(one, dict) else {"value": one, "rank": place}
            rank = entry.get("rank")
            said = self.preference(record, question, entry.get("value"), side)
            if said is not None and said[0] != 0 and isinstance(rank, int | float):
                ranks[said[0]] = float(rank)
        if ranks.keys() != {-1, 1}:
            text = "a ranking is read where it ranks baseline and candidate (or left and right)."
            self.notes.fault(record, "unknown_value", text, question)
            return None
        return (ranks[-1] > ranks[1]) - (ranks[-1] < ranks[1]), False


def _responses(values: Mapping[str, JSON]) -> Responses:
    found: Responses = {}
    nested = values.get("responses")
    if isinstance(nested, dict):
        for question, given in nested.items():
            for one in objects(given):
                _add(found, one.get("user_id"), question, one.get("value"), one.get("status"))
    for one in objects(nested):
        for question, given in mapping_of(one.get("values")).items():
            value = given.get("value") if isinstance(given, dict) else given
            _add(found, one.get("user_id"), question, value, one.get("status"))
    for key, given in values.items():
        if key.endswith(RESPONSES) and isinstance(given, list):
            _add_flat(found, key, given, values)
    return found


def _add_flat(found: Responses, key: str, given: list[JSON], values: Mapping[str, JSON]) -> None:
    users, states = values.get(f"{key}.users"), values.get(f"{key}.status")
    for place, value in enumerate(given):
        who = users[place] if isinstance(users, list) and place < len(users) else None
        state = states[place] if isinstance(states, list) and place < len(states) else None
        _add(found, who, key.removesuffix(RESPONSES), value, state)


def _add(found: Responses, who: JSON, question: str, value: JSON, status: JSON) -> None:
    name = str(who) if isinstance(who, str | int) else ""
    found.setdefault(name, []).append((question, value, status))
