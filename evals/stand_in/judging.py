"""How the stand-in judges: reads the question of `metrics.judge`, answers in its form.

It prefers the answer that says more with fewer words, whichever stands first; now and then it
favours the first one, as judges do, so that asking in both orders has something to find.
"""

import re
from dataclasses import dataclass

from evals.stand_in.knowledge import drawn

_ANSWER = r"<<<ANSWER {letter} (\S+)\n(.*?)\n<<<END OF ANSWER {letter} \1"
_EMPTY = re.compile(
    r"\b(thank you for|we apologise|inconvenience|very important to us|rest assured|discover|"
    r"perfect|great news|excited|understanding|recommend|in conclusion|depends on|indeed)\b",
    re.IGNORECASE,
)
_CONCRETE = re.compile(r"\d+|today|tomorrow|because|so that|test:|no:|if you", re.IGNORECASE)
LIKES_THE_FIRST = 0.08
MARGIN = 0.12


@dataclass(frozen=True, slots=True)
class Pair:
    first: str
    second: str


def pair_in(text: str) -> Pair | None:
    """The two answers that a judge is asked about, if the text asks about two."""
    found = [re.search(_ANSWER.format(letter=letter), text, re.DOTALL) for letter in "AB"]
    return Pair(found[0][2], found[1][2]) if found[0] and found[1] else None


def judgement(pair: Pair) -> str:
    """Reasons, then the verdict on a line of its own."""
    first, second = quality(pair.first), quality(pair.second)
    if drawn("first", *sorted((pair.first, pair.second))) < LIKES_THE_FIRST:
        first += 1.0
    if abs(first - second) < MARGIN:
        return "Both answers say the same, and say it about equally well.\n\n[[C]]"
    better, worse, letter = ("A", "B", "A") if first > second else ("B", "A", "B")
    return (
        f"Answer {better} says what to do, with the facts that the reader needs. Answer {worse} "
        f"is correct in the main, but spends its words on courtesies.\n\n[[{letter}]]"
    )


def quality(text: str) -> float:
    """Facts for each word, less what is said for the sound of it, and a little taste."""
    words = max(len(text.split()), 1)
    facts = len(_CONCRETE.findall(text)) / words
    filler = len(_EMPTY.findall(text)) / words
    return 8 * facts - 12 * filler + 0.4 * drawn("taste", text)
