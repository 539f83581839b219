"""What a scorer sees, what it answers, and how a kind of scorer is described."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, Literal, TypeVar

from annotate.parsing.contract import JSON
from evals.metrics.parameters import read_parameters
from evals.metrics.texts import clipped

P = TypeVar("P")
Part = str | int | float | bool | None | tuple[str, ...]
REASON_CHARS = 300
# A longer parameter, a schema mostly, stands in a signature by its digest.
LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A generated token, its natural log-probability, and its bytes where they were told."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as the model made it. Arguments are JSON text (chat completions) or an object."""

    name: str
    arguments: str | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Output:
    """One answer of one system.

    `tool_calls` None and () both mean that no call came. `error` is set when no answer came;
    `refusal` is the field of that name in chat completions.
    """

    text: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    finish_reason: str | None = None
    error: str | None = None
    logprobs: Sequence[TokenLogprob] | None = None
    refusal: str | None = None

    @property
    def truncated(self) -> bool:
        return self.finish_reason == "length"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The accepted values of an argument: plain JSON, or `Fields` for objects with choices."""

    values: tuple[Any, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """An object whose members each have accepted values."""

    members: Mapping[str, Accepted]


@dataclass(frozen=True, slots=True)
class ExpectedCall:
    name: str
    arguments: Mapping[str, Accepted]


@dataclass(frozen=True, slots=True)
class Tool:
    """A function offered to the model; `parameters` is a JSON Schema (BFCL's types allowed)."""

    name: str
    parameters: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What a case wants. `tool_calls` is None when it says nothing of calls, () for "none"."""

    answers: tuple[str, ...] = ()
    tool_calls: tuple[ExpectedCall, ...] | None = None
    schema: Mapping[str, Any] | bool | None = None
    tools: tuple[Tool, ...] = ()
    refuse: bool | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """A score. `passed` is None where the measure has no pass mark; parts are columns beside."""

    value: float
    passed: bool | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unscored:
    """The scorer had no answer; this is not a zero."""

    reason: str


Result = Scored | Unscored
Score = Callable[[Output, Expected], Result]
CorpusScore = Callable[[Sequence[tuple[Output, Expected]]], Result]


@dataclass(frozen=True, slots=True)
class Signature:
    """Everything that decides a score apart from the texts."""

    name: str
    version: int
    parameters: Mapping[str, JSON]
    engine: Mapping[str, str] = field(default_factory=dict)
    level: Literal["output", "corpus"] = "output"

    @property
    def text(self) -> str:
        """One line, stored beside each score: equal lines mean comparable scores."""
        values = {name: _written(value) for name, value in sorted(self.parameters.items())}
        parts = {"version": str(self.version), "level": self.level} | values | dict(self.engine)
        return "|".join([self.name, *(f"{name}:{value}" for name, value in parts.items())])


def _written(value: JSON) -> str:
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    if len(text) <= LONGEST_VALUE:
        return text
    return f"sha256={hashlib.sha256(text.encode()).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Kind(Generic[P]):
    """A kind of scorer: its name, parameters, and how it is made ready.

    `version` rises whenever the same texts could get another score. `answers_needed` says that
    without an expected answer there is nothing to score, `reads_text` that without a text there
    is nothing to look at; `on_no_output` what becomes of such an answer, or of a call that failed:
    it "fails" (0, so that it stays in the denominator) or has no score. A kind with the parameter
    `pass_at` passes or fails only where that is set; the others always do, if they do ever.
    """

    name: str
    version: int
    parameters: type[P]
    prepare: Callable[[P], Score]
    engine: Callable[[P], Mapping[str, str]] = lambda _: {}
    corpus: Callable[[P], CorpusScore] | None = None
    corpus_engine: Callable[[P], Mapping[str, str]] = lambda _: {}
    answers_needed: bool = True
    reads_text: bool = True
    on_no_output: Literal["fails", "unscored"] = "fails"
    higher_is_better: bool = True
    top: float | None = 1.0

    def ready(self, given: object) -> "Scorer":
        parameters = read_parameters(self.name, self.parameters, given)
        names = (part.name for part in fields(parameters))  # type: ignore[arg-type]
        plain = {name: getattr(parameters, name) for name in names}
        corpus = self.corpus and self.corpus(parameters)
        level = Signature(self.name, self.version, plain, self.corpus_engine(parameters), "corpus")
        return Scorer(
            kind=self,
            signature=Signature(self.name, self.version, plain, self.engine(parameters)),
            score=self.prepare(parameters),
            corpus_signature=level if corpus else None,
            corpus_score=corpus,
        )


@dataclass(frozen=True, slots=True)
class Scorer:
    """A kind with its parameters, ready to be called."""

    kind: Kind[Any]
    signature: Signature
    score: Score
    corpus_signature: Signature | None = None
    corpus_score: CorpusScore | None = None

    def __call__(self, output: Output, expected: Expected) -> Result:
        if self.kind.answers_needed and not expected.answers:
            return Unscored("the case has no expected answer")
        if output.error is not None:
            return self._failed(f"no output: {output.error}")
        if self.kind.reads_text and output.text is None:
            return self._failed("no text was written")
        result = self.score(output, expected)
        if isinstance(result, Unscored):
            return Unscored(clipped(result.reason, REASON_CHARS))
        if not output.truncated:
            return result
        return Scored(result.value, result.passed, {**result.parts, "truncated": True})

    def over_corpus(self, pairs: Sequence[tuple[Output, Expected]]) -> Result:
        """One score for all of `pairs` together: not the mean of their scores."""
        if self.corpus_score is None:
            return Unscored(f"{self.kind.name} has no score at corpus level")
        return self.corpus_score(pairs)

    def _failed(self, fault: str) -> Result:
        fault = clipped(fault, REASON_CHARS)
        if self.kind.on_no_output == "unscored":
            return Unscored(fault)
        has_mark = self.signature.parameters.get("pass_at", True) is not None
        return Scored(0.0, False if has_mark else None, {"fault": fault})


def text_of(output: Output) -> str:
    """The text of an answer that has one."""
    return output.text or ""


def graded(value: float, pass_at: float | None, parts: Mapping[str, Part]) -> Scored:
    """A graded score; it passes or fails only where a pass mark was set."""
    return Scored(value, None if pass_at is None else value >= pass_at, parts)
