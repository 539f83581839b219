"""The first page of a study: the verdict so far, and what needs its lead."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localdate

from annotate.models import State, Study
from evals import queries
from evals.models import Decision
from evals.reporting.annotators import Standing
from evals.reporting.gates import headline, in_a_list
from evals.reporting.numbers import day_words, in_words, listed, shown
from evals.stats import wording

QUIET_AFTER = timedelta(days=3)
MOST_NEEDS = 8


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for the lead, with one link."""

    title: str
    detail: str
    link: str
    label: str


def finding(evidence: dict[str, Any], total: queries.Slots) -> str:
    """The verdict so far and how much of the judging it rests on."""
    verdict = {"GO": "Go", "NO-GO": "No-go", "NOT YET": "Not yet"}[evidence["verdict"]]
    if not evidence["inputs"]["runs"]:
        if not total.items:
            return f"{verdict}: there is nothing to judge yet"
        if not total.judged:
            return f"{verdict}: nobody has judged yet"
    said = headline(evidence)
    return f"{verdict}: {said[:1].lower()}{said[1:]}"


def needs(
    study: Study,
    evidence: dict[str, Any],
    total: queries.Slots,
    found: Standing,
    flags: dict[str, int],
) -> list[Need]:
    """What waits for the lead, the most pressing first."""
    here: dict[str, str] = {
        name: reverse(name, args=[study.slug])
        for name in ("batches", "assignments", "rubric", "decision", "annotators", "disputed")
    }
    parts: Sequence[Iterable[Need]] = (
        _setting_up(study, total, found, here),
        _doubts(evidence, here),
        _people(study, total, found, here),
        _flags(flags, here),
        _unmeasured(evidence, here),
    )
    return [need for part in parts for need in part][:MOST_NEEDS]


def second_signature(study: Study, waiting: Decision | None) -> Iterator[Need]:
    """Before all else: a decision that is none until this reader has signed it too."""
    if waiting is not None:
        yield Need(
            "A decision waits for your signature",
            f"{waiting.get_choice_display()}, signed by {waiting.signed_name} on "
            f"{day_words(localdate(waiting.created_at))}. The policy asks for a second person: "
            "until one has signed, it is no decision.",
            f"{reverse('signed', args=[study.slug, waiting.pk])}#second",
            "Read and sign",
        )


def _setting_up(
    study: Study, total: queries.Slots, found: Standing, here: dict[str, str]
) -> Iterator[Need]:
    if not total.items:
        yield Need(
            "There is nothing to judge",
            "Import a batch: pairs of outputs of both systems for the same prompts.",
            here["batches"],
            "Batches",
        )
    if not any(person.is_active for person in found.people):
        yield Need(
            "Nobody judges in this study",
            "Put annotators on it, and they see it the next time they sign in.",
            here["assignments"],
            "People",
        )
    if study.state in (State.DRAFT, State.PAUSED) and total.left:
        yield Need(
            f"The study is {study.get_state_display().lower()}",
            f"{wording.counted(total.left, 'judgements')} wait until it is open.",
            here["rubric"],
            "Open the study",
        )


def _doubts(evidence: dict[str, Any], here: dict[str, str]) -> Iterator[Need]:
    for gate in evidence["gates"]:
        if "no better than by chance" in gate["sentence"]:
            yield Need(
                "The annotators agree no better than by chance",
                "Until they do, what they prefer says little about the systems.",
                here["disputed"],
                "Disputed items",
            )


def _people(
    study: Study, total: queries.Slots, found: Standing, here: dict[str, str]
) -> Iterator[Need]:
    if study.state == State.OPEN and total.left:
        quiet = [
            person.name
            for person in found.people
            if person.is_active
            and person.last_at is not None
            and timezone.now() - person.last_at > QUIET_AFTER
        ]
        if quiet:
            verb = "has" if len(quiet) == 1 else "have"
            yield Need(
                f"{listed(quiet)} {verb} not judged for three days",
                f"{wording.counted(total.left, 'judgements')} are still to be made.",
                here["annotators"],
                "Annotators",
            )
    for chooser in found.choosers:
        yield Need(
            f"{chooser.name} chooses {chooser.side} {chooser.share.value} of the time",
            f"{chooser.share.interval} of {chooser.share.n}, beyond chance after Holm. "
            "The win rate is hardly moved: sides are balanced.",
            here["annotators"],
            "Annotators",
        )
    if found.below:
        verb = "agrees" if len(found.below) == 1 else "agree"
        yield Need(
            f"{listed(found.below)} {verb} less with the others",
            f"Any two annotators agree in {shown(found.percent).value} of items.",
            here["annotators"],
            "Annotators",
        )


FLAG_WORDS = {
    "recognised": "an output names its maker",
    "personal_data": "there is personal data",
    "harmful": "something is harmful",
    "broken": "the prompt makes no sense",
}


def _flags(flags: dict[str, int], here: dict[str, str]) -> Iterator[Need]:
    said = [
        f"{in_words(count)} where {FLAG_WORDS[kind]}"
        for kind, count in sorted(flags.items(), key=lambda flag: -flag[1])
    ]
    if said:
        yield Need(
            "Annotators have flagged items",
            f"{listed(said).capitalize()}. They stay in, marked.",
            f"{here['disputed']}?show=flagged",
            "See the items",
        )


def _unmeasured(evidence: dict[str, Any], here: dict[str, str]) -> Iterator[Need]:
    titles = [
        in_a_list(gate["title"])
        for gate in evidence["gates"]
        if gate["required"] and gate["status"] == "not measured"
    ]
    if titles:
        verb = "has" if len(titles) == 1 else "have"
        yield Need(
            f"{in_words(len(titles)).capitalize()} required "
            f"{'gate' if len(titles) == 1 else 'gates'} {verb} not been measured",
            f"{listed(titles, 7).capitalize()}. Without an answer the verdict cannot be GO.",
            here["decision"],
            "Decision",
        )
