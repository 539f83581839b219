"""BLEU and chrF as sacrebleu computes them, of one output and of a corpus.

Both are percentages, 0 to 100, as everyone prints them. A mean of sentence scores is not the
corpus score: each has a signature of its own, sacrebleu's own being a part of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from sacrebleu.metrics import bleu as sacre_bleu
from sacrebleu.metrics import chrf as sacre_chrf
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sacrebleu.tokenizers.tokenizer_char import TokenizerChar
from sacrebleu.tokenizers.tokenizer_intl import TokenizerV14International
from sacrebleu.tokenizers.tokenizer_re import TokenizerRegexp
from sacrebleu.tokenizers.tokenizer_zh import TokenizerZh

from evals.metrics.base import (
    CorpusScore,
    Expected,
    Kind,
    Output,
    Part,
    Result,
    Score,
    Scored,
    Unscored,
    graded,
)
from evals.metrics.parameters import Within
from evals.metrics.texts import encodable

# Each keeps the last 65,536 texts it met: gigabytes, where outputs are long.
CACHING = (Tokenizer13a, TokenizerRegexp, TokenizerV14International, TokenizerChar, TokenizerZh)
# What sacrebleu writes for "the number of references varies".
VARIABLE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class BleuParameters:
    """`tokenize` as in sacrebleu; those that fetch a model or need a dictionary are left out."""

    tokenize: Literal["13a", "intl", "char", "zh", "none"] = "13a"
    lowercase: bool = False
    smooth: Literal["exp", "floor", "add-k", "none"] = "exp"
    pass_at: Annotated[float, Within(0, 100)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChrfParameters:
    """`word_order` 0 is chrF, 2 is chrF++."""

    word_order: Annotated[int, Within(0, 4)] = 0
    char_order: Annotated[int, Within(1, 10)] = 6
    beta: Annotated[int, Within(1, 10)] = 2
    lowercase: bool = False
    pass_at: Annotated[float, Within(0, 100)] | None = None


Parameters = BleuParameters | ChrfParameters


def bleu(parameters: BleuParameters, level: Literal["output", "corpus"]) -> Any:
    """sacrebleu's metric: one output has few 4-grams, so orders it lacks do not count there."""
    return sacre_bleu.BLEU(
        lowercase=parameters.lowercase,
        tokenize=parameters.tokenize,
        smooth_method=parameters.smooth,
        effective_order=level == "output",
        force=True,
    )


def chrf(parameters: ChrfParameters, level: Literal["output", "corpus"]) -> Any:
    """sacrebleu's metric, which is made alike for both levels."""
    return sacre_chrf.CHRF(
        char_order=parameters.char_order,
        word_order=parameters.word_order,
        beta=parameters.beta,
        lowercase=parameters.lowercase,
    )


def _metric(parameters: Parameters, level: Literal["output", "corpus"]) -> Any:
    if isinstance(parameters, BleuParameters):
        return bleu(parameters, level)
    return chrf(parameters, level)


def _references(expected: Expected) -> list[str]:
    return [encodable(answer) for answer in expected.answers if answer.strip()]


def _sentence(metric: Any, pass_at: float | None, output: Output, expected: Expected) -> Result:
    references = _references(expected)
    if not references:
        return Unscored("every expected answer is empty")
    score = metric.sentence_score(encodable(output.text or ""), references)
    _forget()
    return graded(_percent(score), pass_at, _parts(score) | {"references": len(references)})


def _corpus(metric: Any, pairs: Sequence[tuple[Output, Expected]]) -> Result:
    """An output that failed is an empty one: it stays in the corpus."""
    usable = [(output, _references(expected)) for output, expected in pairs]
    usable = [(output, references) for output, references in usable if references]
    if not usable:
        return Unscored("no case has an expected answer")
    most = max(len(references) for _, references in usable)
    streams = [
        [references[place] if place < len(references) else None for _, references in usable]
        for place in range(most)
    ]
    texts = [encodable(output.text or "") for output, _ in usable]
    score = metric.corpus_score(texts, streams)
    _forget()
    counts: dict[str, Part] = {
        "outputs": len(usable),
        "empty": sum(not text.strip() for text in texts),
        "left_out": len(pairs) - len(usable),
        "sacrebleu": str(metric.get_signature().format()),
    }
    return Scored(_percent(score), None, _parts(score) | counts)


def _percent(score: Any) -> float:
    # A perfect score comes out as 100.00000000000004.
    return min(100.0, max(0.0, float(score.score)))


def _parts(score: Any) -> dict[str, Part]:
    if not hasattr(score, "precisions"):
        return {}
    parts: dict[str, Part] = {
        f"precision_{order}": float(p) for order, p in enumerate(score.precisions, start=1)
    }
    return parts | {"brevity_penalty": float(score.bp), "length_ratio": float(score.ratio)}


def _forget() -> None:
    for tokenizer in CACHING:
        tokenizer.__call__.cache_clear()


def _signature(level: Literal["output", "corpus"], parameters: Parameters) -> dict[str, str]:
    metric = _metric(parameters, level)
    metric.num_refs = VARIABLE
    return {"sacrebleu": f"({metric.get_signature().format()})"}


def _prepare(parameters: Parameters) -> Score:
    return partial(_sentence, _metric(parameters, "output"), parameters.pass_at)


def _prepare_corpus(parameters: Parameters) -> CorpusScore:
    return lambda pairs: _corpus(_metric(parameters, "corpus"), pairs)


BLEU: Kind[BleuParameters] = Kind(
    "bleu",
    1,
    BleuParameters,
    _prepare,
    engine=partial(_signature, "output"),
    corpus=_prepare_corpus,
    corpus_engine=partial(_signature, "corpus"),
    top=100.0,
)
CHRF: Kind[ChrfParameters] = Kind(
    "chrf",
    1,
    ChrfParameters,
    _prepare,
    engine=partial(_signature, "output"),
    corpus=_prepare_corpus,
    corpus_engine=partial(_signature, "corpus"),
    top=100.0,
)
