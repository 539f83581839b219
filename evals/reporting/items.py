"""Items in lists and on their own: what was said of them, in words and on a strip."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from annotate.models import Flag, Judgement, Rating, Study, Task
from annotate.showing import in_short
from evals import queries
from evals.charts import VoteStrip, vote_strip
from evals.reporting.annotators import in_time
from evals.reporting.numbers import in_words
from evals.stats.wording import sentence

MOST_OF_A_LINE = 200
STRENGTHS = {
    1: ("better",),
    2: ("better", "much better"),
    3: ("slightly better", "better", "much better"),
}


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item in a list of disputed or flagged ones."""

    public_id: UUID
    prompt: str
    category: str
    strip: VoteStrip
    most_disputed: str
    flags: Sequence[str]


@dataclass(frozen=True, slots=True)
class Said:
    """One version of what an annotator said."""

    preference: str
    strength: int
    ratings: Sequence[tuple[str, str]]
    comment: str
    at: datetime | None
    seconds: str
    side: str
    source: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything of one annotator and one item: what counts, and what they said before."""

    annotator: str
    state: str
    now: Said | None
    before: Sequence[Said]
    flags: Sequence[str]
    skip: str


def preference_words(preference: int, strongest: int, *, both_bad: bool = False) -> str:
    """ "candidate much better", "tie", "both bad"."""
    if preference == 0:
        return "both bad" if both_bad else "tie"
    words = STRENGTHS.get(strongest, STRENGTHS[3])
    word = words[min(abs(preference), len(words)) - 1]
    return f"{'candidate' if preference > 0 else 'baseline'} {word}"


def item_rows(study: Study, items: Sequence[queries.Listed]) -> list[ItemRow]:
    strongest = study.max_strength
    return [
        ItemRow(
            item.public_id,
            in_short(item.prompt, MOST_OF_A_LINE),
            item.category,
            vote_strip(
                item.preferences,
                strongest,
                ", ".join(preference_words(said, strongest) for said in item.preferences),
            ),
            item.most_disputed,
            [Flag.Kind(kind).label for kind in item.flags],
        )
        for item in items
    ]


def answers(tasks: Sequence[Task]) -> list[Answer]:
    """What everybody who met an item said, did or left."""
    return [_answer(task) for task in tasks]


STATES = {
    Task.State.CLAIMED: "is judging it now",
    Task.State.SKIPPED: "skipped it",
    Task.State.LAPSED: "left it",
    Task.State.SURPLUS: "judged it too late: kept, not counted",
    Task.State.JUDGED: "",
    Task.State.IMPORTED: "judged elsewhere",
    Task.State.ASKED: "is judging it again now, sides exchanged",
    Task.State.REPEATED: "asked again, sides exchanged: not counted",
    Task.State.PASSED: "skipped it when asked again",
}


def _answer(task: Task) -> Answer:
    versions = list(task.judgements.all())
    now = [said for said in versions if said.version == task.version]
    skip = " ".join(part for part in (task.skip_reason.replace("_", " "), task.skip_note) if part)
    # A task of a judgement made elsewhere bears no name: nobody met its item here.
    annotator = task.annotator or (now[0].annotator if now else None)
    return Answer(
        str(annotator),
        STATES[Task.State(task.state)],
        _said(now[0], task) if now else None,
        [_said(said, task) for said in versions if said.version != task.version],
        [flag.get_kind_display() for flag in task.flags.all()],
        skip,
    )


def _said(judgement: Judgement, task: Task) -> Said:
    strongest = (judgement.scale - 1) // 2
    ratings = sorted(judgement.ratings.all(), key=lambda rating: rating.criterion.position)
    return Said(
        preference_words(judgement.preference, strongest, both_bad=judgement.both_bad),
        judgement.preference,
        [(rating.criterion.name, _rating(rating)) for rating in ratings],
        judgement.comment,
        task.judged_at if task.state == Task.State.IMPORTED else judgement.created_at,
        in_time(judgement.active_ms / 1000 if judgement.active_ms else None),
        judgement.candidate_side or "",
        judgement.source,
    )


def _rating(rating: Rating) -> str:
    if rating.preference is None:
        return f"candidate {rating.candidate_score}, baseline {rating.baseline_score}"
    return preference_words(rating.preference, 1)


def counted(said: Sequence[Answer], state: str = "") -> list[int]:
    """The preferences that count, from baseline to candidate."""
    return sorted(answer.now.strength for answer in said if answer.now and answer.state == state)


def _counted_or_elsewhere(said: Sequence[Answer]) -> tuple[list[int], str]:
    """What was judged blind; without any of it, what was judged elsewhere, saying so."""
    elsewhere = STATES[Task.State.IMPORTED]
    blind = counted(said)
    return (blind, "") if blind else (counted(said, elsewhere), f", {elsewhere}")


def strip_of(study: Study, said: Sequence[Answer]) -> VoteStrip:
    preferences, _ = _counted_or_elsewhere(said)
    strongest = max([study.max_strength, *map(abs, preferences)])
    words = ", ".join(preference_words(one, strongest) for one in preferences)
    return vote_strip(preferences, strongest, words)


def finding(said: Sequence[Answer]) -> str:
    """How the votes on one item fell."""
    votes, where = _counted_or_elsewhere(said)
    if not votes:
        return "Nobody has judged this item yet"
    wins, losses = sum(vote > 0 for vote in votes), sum(vote < 0 for vote in votes)
    kinds = {
        "the candidate": wins,
        "neither": len(votes) - wins - losses,
        "the baseline": losses,
    }
    parts = [f"{in_words(count)} for {name}" for name, count in kinds.items() if count]
    if len(parts) == 1 and len(votes) > 1:
        return f"All {parts[0]}{where}"
    return sentence(", ".join(parts)).rstrip(".") + where
