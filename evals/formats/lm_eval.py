"""lm-eval samples: one line for each document and filter, so each filter is a system."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from annotate.parsing.contract import JSON
from evals.formats.chat import lenient, prompt_text
from evals.formats.entries import Entry
from evals.formats.hosted import score_of
from evals.formats.promptfoo import messages_in
from evals.formats.reading import Job, entries_of
from evals.formats.records import ImportedScore, Message, OutputRecord
from evals.formats.values import a_dict, a_key, a_list, a_number, a_text, kept

KNOWN = frozenset(
    {
        "doc_id",
        "doc",
        "target",
        "arguments",
        "resps",
        "filtered_resps",
        "filter",
        "metrics",
        "doc_hash",
        "prompt_hash",
        "target_hash",
    }
)


@dataclass(frozen=True, slots=True)
class _Said:
    """What the model answered: one text for each repeat, or the likelihoods of continuations."""

    texts: tuple[str | None, ...]
    metadata: dict[str, JSON] = field(default_factory=dict)
    note: str = ""


def outputs_of_lm_eval(job: Job) -> Iterator[OutputRecord]:
    for one in job.only("lm_eval_samples"):
        for entry in entries_of(one, job, nan=True):
            key = a_key(entry.values.get("doc_id"))
            if key is None:
                job.log.fault("missing_value", "doc_id is missing.", row=entry.row, line=entry.line)
                continue
            said = _said(entry.values)
            if said.note:
                job.log.note(said.note, entry.row, entry.line, one.name)
            yield from _records(key, entry, said, job)


def _records(key: str, entry: Entry, said: _Said, job: Job) -> Iterator[OutputRecord]:
    values = entry.values
    scores = _scores(values)
    if any(score.value is None for score in scores.values()):
        job.log.note("unscored", entry.row, entry.line)
    messages = _prompt(values.get("arguments"))
    metadata = {**_metadata(values), **said.metadata}
    if len(said.texts) > 1:
        # A score of several repeats together is of none of them.
        metadata["scores_of_all_repeats"] = {name: one.value for name, one in scores.items()}
        scores = {}
    for sample, text in enumerate(said.texts, 1):
        yield OutputRecord(
            key=key,
            sample=sample,
            system=a_text(values.get("filter")) or "none",
            messages=messages,
            prompt=prompt_text(messages),
            text=text,
            error=None if text is not None or said.metadata else "the sample holds no response",
            scores=scores,
            metadata=metadata,
            row=entry.row,
            line=entry.line,
        )


def _metadata(values: dict[str, JSON]) -> dict[str, JSON]:
    names = ("target", "filtered_resps", "doc", "doc_hash")
    return {name: kept(values[name]) for name in names if values.get(name) is not None}


def _scores(values: dict[str, JSON]) -> dict[str, ImportedScore]:
    """The columns that `metrics` names; older files lack it and have them beside the others."""
    names = [str(name) for name in a_list(values.get("metrics"))]
    names = names or [name for name in values if name not in KNOWN and _is_score(values[name])]
    return {name: score_of(values[name]) for name in names if name in values}


def _is_score(value: JSON) -> bool:
    return isinstance(value, int | float)


def _requests(value: JSON) -> list[tuple[JSON, JSON]]:
    """(prompt, continuation or settings) of each request, in the newer and the older shape."""
    given = [a_dict(one) for one in a_dict(value).values()]
    if given:
        return [(one.get("arg_0"), one.get("arg_1")) for one in given]
    pairs = [a_list(one) for one in a_list(value)]
    return [(pair[0], pair[1] if len(pair) > 1 else None) for pair in pairs if pair]


def _prompt(arguments: JSON) -> tuple[Message, ...]:
    first = next((prompt for prompt, _ in _requests(arguments)), None)
    # With a chat template that is kept as messages the text is JSON.
    if isinstance(first, str):
        return messages_in(first)
    return lenient(first) if isinstance(first, list) else ()


def _said(values: dict[str, JSON]) -> _Said:
    answers = a_list(values.get("resps"))
    likelihoods = [_likelihood(one) for one in answers]
    if answers and all(one is not None for one in likelihoods):
        return _chosen(likelihoods, _requests(values.get("arguments")))
    first = answers[0] if answers else None
    repeats = first if isinstance(first, list) else [first]
    return _Said(tuple(one if isinstance(one, str) else None for one in repeats) or (None,))


def _likelihood(value: JSON) -> float | None:
    """The log-likelihood of [["-1.23", "False"]], numbers and booleans written as texts."""
    inner = a_list(value)
    pair = a_list(inner[0]) if inner and isinstance(inner[0], list) else []
    if len(pair) != 2 or str(pair[1]) not in ("True", "False"):
        return None
    return a_number(pair[0])


def _chosen(likelihoods: list[float | None], requests: list[tuple[JSON, JSON]]) -> _Said:
    """The continuation that the model found most likely stands for its answer."""
    found = [one for one in likelihoods if one is not None]
    words = [one for _, one in requests]
    told: JSON = [
        {"continuation": kept(words[at]) if at < len(words) else None, "loglikelihood": one}
        for at, one in enumerate(found)
    ]
    best = found.index(max(found))
    text = words[best] if best < len(words) and len(found) > 1 else None
    note = "chosen_continuation" if isinstance(text, str) else "no_text"
    return _Said((text if isinstance(text, str) else None,), {"likelihoods": told}, note)
