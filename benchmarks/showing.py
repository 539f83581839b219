"""How the time to show untrusted text grows with its length: python -m benchmarks.showing.

For each text, the best of three runs at half of its length and at the whole, and their ratio:
2 is linear, 4 is quadratic. The texts are made to be slow.
"""

import random
import time
from collections.abc import Callable

from annotate.blinding import BlindPair
from annotate.showing import View, show_pair
from annotate.showing.formatted import MOST_CHARACTERS, formatted

SLOW_MARKDOWN = [
    "*a_" * 16_000,
    "[" * 50_000,
    "**a" * 16_000,
    "* a\n   * b\n" * 4_500,
    "`" * 50_000,
    "```python\n" + "(((" * 3_000 + "\n```",
    "> " * 25_000,
    "|a" * 20_000,
]


def long_texts() -> list[tuple[str, str]]:
    """Pairs of 200,000 characters: edited, unrelated, without words, all lines alike."""
    chance = random.Random(5)
    words = ["".join(chance.choices("abcdefgh", k=chance.randint(2, 9))) for _ in range(3_000)]
    prose = " ".join(chance.choice(words) for _ in range(40_000))[:200_000]
    other = " ".join(chance.choice(words) for _ in range(40_000))[:200_000]
    edited = " ".join(word for word in prose.split(" ") if chance.random() > 0.1)
    return [
        (prose, edited),
        (prose, other),
        ("!" * 200_000, "?!" * 100_000),
        ("a\n" * 100_000, "a\nb\n" * 50_000),
    ]


def best_of_three(act: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        started = time.perf_counter()
        act()
        times.append(time.perf_counter() - started)
    return min(times)


def row(name: str, act: Callable[..., object], *texts: str) -> None:
    halves = [text[: len(text) // 2] for text in texts]
    first = best_of_three(lambda: act(*halves))
    second = best_of_three(lambda: act(*texts))
    print(f"{name:32} {first * 1000:8.1f} {second * 1000:8.1f} {second / first:6.2f}")


def main() -> None:
    print(f"{'':32} {'half ms':>8} {'whole ms':>8} {'ratio':>6}")
    for text in SLOW_MARKDOWN:
        row(f"markdown {text[:12]!r}", rendered, text[:MOST_CHARACTERS])
    for left, right in long_texts():
        row(f"differences {left[:8]!r}", diff, left, right)


def rendered(text: str) -> object:
    formatted.cache_clear()  # the page shows a text many times and renders it once
    return formatted(text)


def diff(left: str, right: str) -> object:
    return show_pair(BlindPair("p", left, right), View.DIFF)


if __name__ == "__main__":
    main()
