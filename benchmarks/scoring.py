"""Scorers a second: python -m benchmarks.scoring

ROUGE-L beside rouge-score on the same pairs in the same run, and tool calls; texts are made of
words, seeded, in the lengths of chat answers.
"""

import random
import time
from collections.abc import Callable

from rouge_score.rouge_scorer import RougeScorer

from evals.metrics import (
    Expected,
    ExpectedCall,
    Output,
    Scored,
    ToolCall,
    scorer_for,
)
from evals.metrics.base import Accepted

SEED = 20261121
PAIRS = 2_000
WORDS = [f"{a}{b}{c}" for a in ("re", "pa", "lo", "mi") for b in "aeiou" for c in ("st", "n", "rk")]


def texts(draw: random.Random) -> list[tuple[str, str]]:
    """Pairs that share about half of their words, in order."""
    pairs = []
    for _ in range(PAIRS):
        reference = draw.choices(WORDS, k=draw.randint(20, 300))
        answer = [word if draw.random() < 0.6 else draw.choice(WORDS) for word in reference]
        pairs.append((" ".join(reference), " ".join(answer)))
    return pairs


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def rouge(pairs: list[tuple[str, str]]) -> None:
    ours, theirs = scorer_for("rouge_l"), RougeScorer(["rougeL"], use_stemmer=False)
    mine: list[float] = []
    other: list[float] = []

    def by_ours() -> None:
        for reference, answer in pairs:
            result = ours(Output(text=answer), Expected(answers=(reference,)))
            assert isinstance(result, Scored)
            mine.append(result.value)

    def by_theirs() -> None:
        other.extend(theirs.score(r, a)["rougeL"].fmeasure for r, a in pairs)

    spent, beside = seconds(by_ours), seconds(by_theirs)
    apart = max(abs(a - b) for a, b in zip(mine, other, strict=True))
    print(f"ROUGE-L       {PAIRS / spent:>10,.0f} outputs/s")
    print(f"rouge-score   {PAIRS / beside:>10,.0f} outputs/s, ours {beside / spent:.1f} x as fast, "
          f"values at most {apart:.1e} apart")  # fmt: skip


def tool_calls(draw: random.Random) -> None:
    scorer = scorer_for("tool_calls")
    cases = []
    for _ in range(PAIRS):
        names = draw.sample(WORDS, k=draw.randint(1, 4))
        wanted = [ExpectedCall(n, {"size": Accepted((n, 1)), "to": Accepted((2,))}) for n in names]
        calls = [ToolCall(n, f'{{"size": "{n}", "to": 2}}') for n in names]
        draw.shuffle(calls)
        cases.append((Output(tool_calls=tuple(calls)), Expected(tool_calls=tuple(wanted))))
    spent = seconds(lambda: [scorer(output, expected) for output, expected in cases])
    print(f"tool calls    {PAIRS / spent:>10,.0f} outputs/s, 1 to 4 calls each, in any order")


if __name__ == "__main__":
    draw = random.Random(SEED)
    rouge(texts(draw))
    tool_calls(draw)
