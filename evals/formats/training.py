"""Files made for training or for OpenAI evals, read as cases: what they teach is expected."""

from collections.abc import Iterator

from annotate.parsing.contract import JSON
from evals.formats.chat import (
    ShapeError,
    content_text,
    conversation,
    tool_calls_of,
    tools_of,
)
from evals.formats.entries import Entry
from evals.formats.expectations import answers_of, usual_scorer
from evals.formats.reading import Job, Parts, entries_of
from evals.formats.records import (
    Argument,
    CaseRecord,
    Expected,
    ExpectedCall,
    Message,
)
from evals.formats.values import a_dict, a_key, a_list, numbers, rest

PREFERRED = ("preferred_output", "preferred_completion", "chosen")
TAKEN = frozenset(
    {"id", "messages", "tools", "functions", "input", "ideal", "prompt", "completion", *PREFERRED}
)

Target = tuple[tuple[Message, ...], Expected]
NOTHING: Target = ((), Expected())


def cases_of_openai_evals(job: Job) -> Iterator[CaseRecord]:
    """Samples of OpenAI evals: input, and ideal as one answer or several."""
    for one in job.only("openai_evals"):
        for entry in entries_of(one, job):
            parts = Parts(job.log, entry.row, entry.line, one.name)
            case = _built(entry, parts, _sample(entry.values, parts))
            if parts.sound:
                yield case


def cases_of_fine_tuning(job: Job) -> Iterator[CaseRecord]:
    """Training examples: the last answer of the assistant is expected, the rest is the prompt."""
    for one in job.only("fine_tuning"):
        for entry in entries_of(one, job):
            parts = Parts(job.log, entry.row, entry.line, one.name)
            case = _built(entry, parts, _lesson(entry.values, parts))
            if parts.sound:
                if case.scorer is None:
                    job.log.note("no_target", entry.row, entry.line, one.name)
                yield case


def _lesson(values: dict[str, JSON], parts: Parts) -> Target:
    return parts.take("messages", lambda: _target(values), NOTHING)


def _sample(values: dict[str, JSON], parts: Parts) -> Target:
    messages = parts.take("input", lambda: conversation(values.get("input")), NOTHING[0])
    return messages, parts.take("ideal", lambda: _ideal(values.get("ideal")), NOTHING[1])


def _ideal(value: JSON) -> Expected:
    return Expected(answers=answers_of(value))


def _built(entry: Entry, parts: Parts, target: Target) -> CaseRecord:
    values, (messages, expected) = entry.values, target
    given = values.get("tools", a_dict(values.get("input")).get("tools"))
    tools = values.get("functions") if given is None else given
    return CaseRecord(
        id=a_key(values.get("id")) or f"case-{entry.row}",
        messages=messages,
        expected=expected,
        tools=parts.take("tools", lambda: tools_of(tools), ()),
        category="uncategorised",
        scorer=usual_scorer(expected),
        metadata=rest(values, TAKEN),
        row=entry.row,
        line=entry.line,
    )


def _target(values: dict[str, JSON]) -> Target:
    preferred = next((values[name] for name in PREFERRED if name in values), None)
    if preferred is not None:
        return _preferred(values, preferred)
    if "completion" in values:
        return conversation(values.get("prompt")), _answer(values["completion"])
    messages = conversation(values.get("messages"))
    if messages[-1].get("role") != "assistant":
        # Reinforcement examples end with the user; what is right stands in other fields.
        return messages, Expected()
    if len(messages) == 1:
        raise ShapeError("has an answer and no prompt. Add the message of the user.")
    return messages[:-1], expected_of_message(messages[-1])


def _preferred(values: dict[str, JSON], preferred: JSON) -> Target:
    given = values.get("input", values.get("prompt"))
    prompt = conversation(a_dict(given).get("messages", given))
    if isinstance(preferred, str):
        return prompt, _answer(preferred)
    said = [one for one in a_list(preferred) if a_dict(one).get("role") == "assistant"]
    if not said:
        raise ShapeError("the preferred answer has no message of the assistant. Add it.")
    return prompt, expected_of_message(a_dict(said[-1]))


def _answer(value: JSON) -> Expected:
    if not isinstance(value, str) or not value.strip():
        raise ShapeError("the expected answer is empty. Write it.")
    # Older training files begin each completion with a space.
    return Expected(answers=(value.strip(),))


def expected_of_message(message: dict[str, JSON]) -> Expected:
    """What an assistant's message makes right: its calls, or else its words."""
    calls = tool_calls_of(message)
    if not calls:
        text = content_text(message.get("content")) or content_text(message.get("refusal"))
        return _answer(text)
    for number, call in enumerate(calls, 1):
        if call.arguments is None:
            raise ShapeError(f"call {number} of the answer: {call.fault}. Correct it.")
    return Expected(
        tool_calls=tuple(
            ExpectedCall(
                call.name,
                {
                    name: Argument((numbers(value),))
                    for name, value in (call.arguments or {}).items()
                },
            )
            for call in calls
        )
    )
