"""Believable past judgements for the demonstration: the same on every machine.

Each item has a hidden quality (`lean`: how far the candidate is ahead, -2 to 2), each
annotator a taste. What somebody answers is the lean, seen through that taste, plus chance;
so annotators agree on clear items and truly disagree on close ones.
"""

import json
import math
import random
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

Items = Sequence[Mapping[str, Any]]

# Where the latent difference becomes a stronger answer. "The same" ends where the
# annotator's own `tie_width` says.
MUCH = 1.7
# A difference of this many words is about as much as a reader notices as "longer".
WORDS_APART = 40
# A criterion is judged after the whole and coloured by it (the halo effect).
HALO = 0.25
CRITERION_NOISE = 0.45
CRITERION_TIE = 0.75
DECIDING_SECONDS = 11.0


class Answer(TypedDict):
    """What one annotator said of one item, candidate positive."""

    preference: int
    both_bad: bool
    criteria: dict[str, int]
    seconds: float
    comment: str


def simulate(
    study: Mapping[str, Any], items: Items, annotator_index: int, item_index: int
) -> Answer:
    """The judgement of one annotator on one item; it depends on nothing but its arguments."""
    item = items[item_index]
    annotator = study["annotators"][annotator_index]
    bias = annotator["bias"]
    quality = study["quality"][item["item_id"]]
    chance = random.Random(f"{study['seed']}/{annotator['key']}/{item['item_id']}")  # noqa: S311

    # Drawn in a fixed order and never skipped, so that no answer shifts another one's dice.
    latent = _taste(quality["lean"], bias, item)
    slip = chance.gauss(0, bias["noise"])
    found_bad = chance.random() < quality["both_bad"] * bias["severity"]
    comment = _comment(study, annotator["key"], item["item_id"])
    if comment:
        # Who writes down why is sure of it: the words must not contradict the answer.
        latent, found_bad = float(quality["lean"]["overall"]), False
    else:
        latent += slip
    return {
        "preference": 0 if found_bad else _on_scale(latent, bias["tie_width"]),
        "both_bad": found_bad,
        "criteria": _criteria(study, quality["lean"], latent, chance),
        "seconds": _seconds(item, comment, bias, chance),
        "comment": comment,
    }


def _taste(lean: Mapping[str, float], bias: Mapping[str, float], item: Mapping[str, Any]) -> float:
    """The lean of an item as this annotator sees it, before chance."""
    words = _words(item["candidate_output"]) - _words(item["baseline_output"])
    longer = math.tanh(words / WORDS_APART)
    strict = (lean["correctness"] + lean["safety"]) / 2 - lean["helpfulness"]
    return lean["overall"] + bias["likes_long"] * longer + bias["rigour"] * strict


def _on_scale(latent: float, tie_width: float) -> int:
    if abs(latent) < tie_width:
        return 0
    strength = 2 if abs(latent) >= MUCH else 1
    return strength if latent > 0 else -strength


def _criteria(
    study: Mapping[str, Any], lean: Mapping[str, float], latent: float, chance: random.Random
) -> dict[str, int]:
    answers = {}
    for criterion in study["criteria"]:
        key = criterion["key"]
        seen = lean[key] + HALO * latent + chance.gauss(0, CRITERION_NOISE)
        answers[key] = 0 if abs(seen) < CRITERION_TIE else int(math.copysign(1, seen))
    return answers


def _seconds(
    item: Mapping[str, Any], comment: str, bias: Mapping[str, float], chance: random.Random
) -> float:
    """Reading, deciding (log-normal, as response times are) and writing."""
    read = sum(_words(item[key]) for key in ("prompt", "baseline_output", "candidate_output"))
    reading = 60 * read / bias["words_per_minute"]
    deciding = DECIDING_SECONDS * math.exp(chance.gauss(0, 0.45))
    return round(reading * chance.uniform(0.85, 1.15) + deciding + 1.8 * _words(comment), 1)


def _comment(study: Mapping[str, Any], annotator: str, item_id: str) -> str:
    for comment in study["comments"]:
        if (comment["annotator"], comment["item_id"]) == (annotator, item_id):
            return str(comment["text"])
    return ""


def _words(text: object) -> int:
    """Words of a text or of a conversation."""
    return len((text if isinstance(text, str) else json.dumps(text)).split())
