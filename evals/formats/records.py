"""What files are read into: cases of a suite, and outputs that a system gave before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from annotate.parsing import JSON

Message: TypeAlias = dict[str, JSON]
Split: TypeAlias = Literal["target", "general"]
Kind: TypeAlias = Literal["cases", "outputs", "companion"]

SPLITS: tuple[Split, ...] = ("target", "general")
CUT_OFF = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})


@dataclass(frozen=True, slots=True)
class Fields:
    """An object whose members each have accepted values."""

    members: "Mapping[str, Argument]"

    def as_data(self) -> JSON:
        return {"fields": {name: member.as_data() for name, member in self.members.items()}}


@dataclass(frozen=True, slots=True)
class Argument:
    """The values that are accepted for one argument; `optional`: it may also be left out."""

    accepted: tuple[JSON | Fields, ...]
    optional: bool = False

    def as_data(self) -> JSON:
        told: dict[str, JSON] = {
            "any_of": [one.as_data() if isinstance(one, Fields) else one for one in self.accepted]
        }
        if self.optional:
            told["optional"] = True
        return told


@dataclass(frozen=True, slots=True)
class ExpectedCall:
    """A tool call that the answer must hold."""

    name: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)

    def as_data(self) -> JSON:
        arguments = {name: argument.as_data() for name, argument in self.arguments.items()}
        return {"name": self.name, "arguments": arguments}


@dataclass(frozen=True, slots=True)
class Expected:
    """What a right answer is. `tool_calls` is None if calls are no matter, () if none is right;
    `refuse` says whether the answer should be a refusal.
    """

    answers: tuple[str, ...] = ()
    tool_calls: tuple[ExpectedCall, ...] | None = None
    schema: dict[str, JSON] | bool | None = None
    refuse: bool | None = None

    def as_data(self) -> dict[str, JSON]:
        """The same as plain JSON, the way a suite file writes it."""
        told: dict[str, JSON] = {}
        if self.answers:
            told["answers"] = list(self.answers)
        if self.tool_calls is not None:
            told["tool_calls"] = [call.as_data() for call in self.tool_calls]
        if self.schema is not None:
            told["schema"] = self.schema
        if self.refuse is not None:
            told["refuse"] = self.refuse
        return told


@dataclass(frozen=True, slots=True)
class ScorerSpec:
    """Which scorer looks at the outputs of a case. Parameters are data and never run."""

    name: str
    parameters: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """One case of a suite; `row` and `line` say where its file has it."""

    id: str
    messages: tuple[Message, ...]
    expected: Expected
    tools: tuple[dict[str, JSON], ...] = ()
    category: str = ""
    split: Split = "target"
    scorer: ScorerSpec | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)
    row: int = 0
    line: int = 0

    def as_data(self) -> dict[str, JSON]:
        """The case as plain JSON, without its place: equal cases give equal data."""
        scorer: JSON = None
        if self.scorer:
            scorer = {"name": self.scorer.name, "parameters": dict(self.scorer.parameters)}
        return {
            "id": self.id,
            "messages": list(self.messages),
            "tools": list(self.tools),
            "expected": self.expected.as_data(),
            "category": self.category,
            "split": self.split,
            "scorer": scorer,
            "metadata": dict(self.metadata),
        }


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as the model wrote it. `arguments` is None where its JSON cannot be decoded:
    then `raw` is what stands there and `fault` says why. That is the model's failure, no file's.
    """

    name: str
    arguments: dict[str, JSON] | None
    raw: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Tokens:
    prompt: int | None = None
    completion: int | None = None


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """As the file has it: values that stand for "unknown", such as -9999, are kept."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class ImportedScore:
    """A score that another tool gave; without a value `reason` says why."""

    value: JSON
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OutputRecord:
    """One answer that a system gave before.

    `key` names the case: answers of two systems to the same case have the same key. `sample`
    counts several answers to one case (epochs, repeats, choices) from 1. `system` tells apart
    what a file may hold side by side: models, prompts, runs or filters. `latency_ms` is None
    unless the file measured one call: batches and caches have no latency. `tool_calls` is None
    where the format cannot carry calls, () where none was made. A refusal is the text too.
    """

    key: str
    sample: int = 1
    system: str = ""
    prompt: str | None = None
    messages: tuple[Message, ...] = ()
    tools: tuple[dict[str, JSON], ...] = ()
    text: str | None = None
    refusal: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    finish_reason: str | None = None
    latency_ms: float | None = None
    tokens: Tokens = field(default_factory=Tokens)
    logprobs: tuple[TokenLogprob, ...] | None = None
    error: str | None = None
    scores: Mapping[str, ImportedScore] = field(default_factory=dict)
    model: str | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)
    row: int = 0
    line: int = 0

    @property
    def truncated(self) -> bool:
        """Whether the system was stopped before it had finished."""
        return self.finish_reason in CUT_OFF


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file is by its content. `words` tell a person; `sure` is False where another
    reading, one of `alternatives`, is as likely.
    """

    format: str
    kind: Kind
    words: str
    layout: str
    sure: bool = True
    alternatives: tuple[str, ...] = ()
