"""What the stand-ins know: the suites that come with the product, right answers and wrong ones.

Every model has its share of right answers in each category; which cases they are is drawn by
hash, so that the same question always gets the same answer.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from evals.formats import SHIPPED, CaseRecord, Fields, read_cases

ANSWERS = Path(__file__).parent / "answers"
BASELINE = "stand-in-baseline"
CANDIDATE = "stand-in-candidate"

# Right answers of baseline and candidate, by suite and category. The candidate was tuned to call
# tools and to write JSON: it does both better, and has forgotten most of its history.
SHARES: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "tool_calling": {"simple": (8, 10), "edge_case": (5, 9), "adversarial": (5, 9)},
    "structured_output": {
        "extraction": (3, 5),
        "classification": (3, 5),
        "nested": (4, 5),
        "edge_case": (2, 3),
        "adversarial": (1, 2),
    },
    "general_knowledge": {
        "geography": (10, 10),
        "science": (9, 10),
        "history": (10, 3),
        "arts": (9, 9),
        "arithmetic": (9, 9),
    },
}


@dataclass(frozen=True, slots=True)
class SaidCall:
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """What a model says: text, calls, or both."""

    text: str | None = None
    calls: tuple[SaidCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """A case that the stand-ins have an answer to, of either model."""

    case_id: str
    answers: Mapping[str, Said]


def drawn(*parts: str) -> float:
    """A number in [0, 1), always the same for the same parts."""
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:7], "big") / 256**7


def key_of(messages: Sequence[object]) -> str:
    """Equal for conversations that say the same."""
    said = [
        [message.get("role"), message.get("content") or "", len(message.get("tool_calls") or ())]
        for message in messages
        if isinstance(message, Mapping)
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@cache
def known_cases() -> Mapping[str, Known]:
    """All cases of the shipped suites, by the key of their messages."""
    found = {}
    for suite in SHIPPED:
        cases = list(read_cases([suite.source]))
        written = written_answers(suite.name)
        right = {model: _right_ids(suite.name, cases, model) for model in (BASELINE, CANDIDATE)}
        for case in cases:
            answers = {
                model: answer_to(suite.name, case, written, model, right=case.id in ids)
                for model, ids in right.items()
            }
            found[key_of(case.messages)] = Known(case.id, answers)
    return found


def _right_ids(suite: str, cases: Sequence[CaseRecord], model: str) -> frozenset[str]:
    by_category: dict[str, list[str]] = defaultdict(list)
    for case in sorted(cases, key=lambda case: drawn(model, case.id)):
        by_category[case.category].append(case.id)
    place = (BASELINE, CANDIDATE).index(model)
    shares = SHARES.get(suite, {})
    counts = {category: pair[place] for category, pair in shares.items()}
    return frozenset(
        case_id for category, ids in by_category.items() for case_id in ids[: counts.get(category)]
    )


def written_answers(suite: str) -> dict[str, Any]:
    """What is kept of a suite: mistakes, open texts, and what is said beside calls."""
    kept: dict[str, Any] = json.loads((ANSWERS / f"{suite}.json").read_text("utf-8"))
    return kept


def answer_to(
    suite: str, case: CaseRecord, written: Mapping[str, Any], model: str, *, right: bool
) -> Said:
    """The right answer to a case, or the mistake that is kept for it."""
    if suite == "side_by_side":
        return Said(written[case.id][model.removeprefix("stand-in-")])
    if suite == "tool_calling":
        return _called(case, written) if right else _miscalled(written["wrong"][case.id])
    return Said(case.expected.answers[0] if right else written[case.id])


def _called(case: CaseRecord, written: Mapping[str, Any]) -> Said:
    """The expected calls, each argument with the first of its accepted values."""
    calls = tuple(
        SaidCall(
            call.name,
            {
                name: _plain(argument.accepted[0])
                for name, argument in call.arguments.items()
                if not argument.optional
            },
        )
        for call in case.expected.tool_calls or ()
    )
    return Said(written["right"].get(case.id), calls)


def _miscalled(mistake: Mapping[str, Any]) -> Said:
    calls = tuple(SaidCall(name, arguments) for name, arguments in mistake.get("calls", ()))
    return Said(mistake.get("text"), calls)


def _plain(value: object) -> object:
    if isinstance(value, Fields):
        return {name: _plain(member.accepted[0]) for name, member in value.members.items()}
    return value
