"""A sample of an Inspect log as an output: its first choice, scores, and what was measured."""

from dataclasses import dataclass

from annotate.parsing.contract import JSON
from evals.formats.bodies import answer_of_message, error_text, logprobs_of, tokens_of
from evals.formats.chat import lenient, prompt_text
from evals.formats.hosted import score_of
from evals.formats.records import ImportedScore, OutputRecord
from evals.formats.values import a_count, a_dict, a_key, a_list, a_text, kept, milliseconds

SAMPLE_KEYS = frozenset(
    {
        "id",
        "epoch",
        "input",
        "target",
        "choices",
        "output",
        "scores",
        "score",
        "metadata",
        "error",
        "limit",
        "total_time",
        "working_time",
        "attachments",
    }
)
ATTACHMENT = "attachment://"
STOPS = {"max_tokens": "length", "model_length": "length"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the header says of every sample."""

    model: str | None = None
    batch: bool = False
    may_cache: bool = False


def settings_of(header: dict[str, JSON]) -> Settings:
    config = a_dict(header.get("model_generate_config"))
    return Settings(
        a_text(header.get("model")), bool(config.get("batch")), bool(config.get("cache"))
    )


def record_of_sample(
    given: dict[str, JSON], settings: Settings, *, measured: bool, row: int, line: int
) -> OutputRecord:
    """`measured`: the latency is of one call to the model, not of a cache or a batch."""
    attachments = a_dict(given.get("attachments"))
    values = {
        name: _inlined(value, attachments) if attachments else value
        for name, value in given.items()
        if name in SAMPLE_KEYS
    }
    output = a_dict(values.get("output"))
    choices = [a_dict(one) for one in a_list(output.get("choices"))]
    choice = choices[0] if choices else {}
    answer = answer_of_message(a_dict(choice.get("message")))
    reason = a_text(choice.get("stop_reason"))
    messages = lenient(values.get("input"))
    text = answer.text if answer.text is not None else a_text(output.get("completion"))
    return OutputRecord(
        key=a_key(values.get("id")) or f"sample-{row}",
        sample=a_count(values.get("epoch")) or 1,
        messages=messages,
        prompt=prompt_text(messages),
        text=text,
        refusal=answer.refusal,
        tool_calls=answer.tool_calls,
        finish_reason=STOPS.get(reason or "", reason),
        latency_ms=milliseconds(output.get("time"), 1000) if measured else None,
        tokens=tokens_of(output.get("usage")),
        logprobs=logprobs_of(a_dict(choice.get("logprobs")).get("content")),
        error=_error(values, output, bool(choices) or text is not None),
        scores=_scores(values),
        model=a_text(output.get("model")) or settings.model,
        metadata=_metadata(values),
        row=row,
        line=line,
    )


def _inlined(value: JSON, attachments: dict[str, JSON]) -> JSON:
    if isinstance(value, dict):
        return {name: _inlined(inner, attachments) for name, inner in value.items()}
    if isinstance(value, list):
        return [_inlined(inner, attachments) for inner in value]
    if isinstance(value, str) and value.startswith(ATTACHMENT):
        return attachments.get(value.removeprefix(ATTACHMENT), value)
    return value


def _error(values: dict[str, JSON], output: dict[str, JSON], answered: bool) -> str | None:
    told = error_text(values.get("error")) or error_text(output.get("error"))
    if told or answered:
        return told
    limit = a_text(a_dict(values.get("limit")).get("type"))
    return f"stopped at the limit of {limit}" if limit else "the sample holds no output"


def _scores(values: dict[str, JSON]) -> dict[str, ImportedScore]:
    """C, I, P and N stay what they are; NaN says that nothing was scored.

    Logs of the first version have one score without a name.
    """
    given = a_dict(values.get("scores")) or {"score": values.get("score")}
    return {
        name: score_of(a_dict(score).get("value"))
        for name, score in given.items()
        if score is not None
    }


def _metadata(values: dict[str, JSON]) -> dict[str, JSON]:
    metadata = a_dict(kept(values.get("metadata")))
    names = ("target", "choices", "limit", "total_time", "working_time")
    told = {name: kept(values[name]) for name in names if values.get(name) is not None}
    answers = {
        name: kept(a_dict(score).get("answer"))
        for name, score in a_dict(values.get("scores")).items()
    }
    return {**metadata, **told} | ({"scored_answers": answers} if any(answers.values()) else {})
