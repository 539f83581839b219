"""The page of annotators: what each did, how fast, to which side, and how like the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from annotate.models import Study
from evals import queries
from evals.reporting.bias import SideChooser, side_choosers
from evals.reporting.numbers import DASH, Shown, listed, many, shown
from evals.reporting.repeats import Repeats, repeats
from evals.reporting.sides import annotator_left_share
from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined
from evals.stats.proportions import clopper_pearson_interval
from evals.tallies import AnnotatorVotes, SidedVotes, with_others

NO_VOTES = AnnotatorVotes(0, 0, 0, 0, 0, 0)
MANY_SKIPS = 0.2
NOT_TIMED = Undefined("nothing was timed")


@dataclass(frozen=True, slots=True)
class AnnotatorRow:
    """One annotator."""

    person: queries.Person
    seconds: Shown
    left: Shown
    with_others: Shown
    ties: Shown


@dataclass(frozen=True, slots=True)
class Standing:
    """Who is there, and who of them stands apart.

    Attributes
    ----------
    with_others : mapping
        By the id of each person how often they say what others said of the same item.
    percent : Estimate or Undefined
        How often any two annotators agree.
    choosers
        Who chooses one side beyond chance.
    below : sequence of str
        The names of those who agree less with the others than any two annotators do.
    """

    people: Sequence[queries.Person]
    with_others: Mapping[UUID, Estimate | Undefined]
    percent: Estimate | Undefined
    choosers: Sequence[SideChooser]
    below: Sequence[str]


@dataclass(frozen=True, slots=True)
class Annotators:
    """Everything on the page."""

    finding: str
    rows: Sequence[AnnotatorRow]
    choosers: Sequence[SideChooser]
    percent: Shown
    repeats: Repeats


def standing(
    study: Study,
    votes: SidedVotes,
    *,
    only: queries.Source | None = None,
    confidence: float = 0.95,
) -> Standing:
    """Read inside a snapshot: `votes` and what is read here are of one state."""
    people = queries.people_counted(study, only)
    others = queries.agreement_with_others(study, only)
    percent = votes.overall.agreement(confidence)["percent"]
    found = {one.id: with_others(others.get(one.id, []), confidence) for one in people}
    return Standing(
        people,
        found,
        percent,
        side_choosers(votes, {person.id: person.name for person in people}, confidence),
        [person.name for person in people if is_below(found[person.id], percent)],
    )


def annotators(
    study: Study,
    votes: SidedVotes,
    *,
    only: queries.Source | None = None,
    confidence: float = 0.95,
) -> Annotators:
    """As `standing`, with everything else of each."""
    found = standing(study, votes, only=only, confidence=confidence)
    each = votes.each_annotator
    seconds = queries.median_seconds(study, confidence=confidence)
    rows = [
        _row(
            person,
            each.get(person.id, NO_VOTES),
            found.with_others[person.id],
            seconds.get(person.id, NOT_TIMED),
            confidence,
        )
        for person in found.people
    ]
    return Annotators(
        finding(found.people, found.below, [chooser.name for chooser in found.choosers]),
        rows,
        found.choosers,
        shown(found.percent, word="items"),
        repeats(
            study,
            {person.id: person.name for person in found.people},
            only=only,
            confidence=confidence,
        ),
    )


def _row(
    person: queries.Person,
    votes: AnnotatorVotes,
    others: Estimate | Undefined,
    seconds: Estimate | Undefined,
    confidence: float,
) -> AnnotatorRow:
    ties: Estimate | Undefined = Undefined("nothing judged yet")
    if votes.n:
        ties = clopper_pearson_interval(votes.ties, votes.n, confidence)
    return AnnotatorRow(
        person,
        in_seconds(seconds),
        shown(annotator_left_share(votes, confidence), word=""),
        shown(others, word="items"),
        shown(ties, word=""),
    )


def is_below(others: Estimate | Undefined, percent: Estimate | Undefined) -> bool:
    """Whether somebody agrees with the others less than annotators do with one another."""
    return (
        isinstance(others, Estimate)
        and isinstance(percent, Estimate)
        and others.high is not None
        and others.high < percent.value
    )


def in_seconds(found: Estimate | Undefined) -> Shown:
    """ "48 s" and "41 s to 55 s"."""
    words = shown(found, word="")
    if isinstance(found, Undefined):
        return words
    ends = (found.low, found.high)
    interval = " to ".join(in_time(end) for end in ends if end is not None)
    return replace(words, value=in_time(found.value), interval=interval)


def in_time(seconds: float | None) -> str:
    """ "48 s", "2 min 5 s"; a dash where nothing was timed."""
    if seconds is None:
        return DASH
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if not minutes:
        return f"{whole}\u202fs"
    return f"{wording.count(minutes)}\u202fmin" + (f" {rest}\u202fs" if rest else "")


def finding(people: Sequence[queries.Person], below: Sequence[str], choosers: Sequence[str]) -> str:
    if not people:
        return "Nobody is assigned to this study yet"
    judged = [person for person in people if person.judged]
    if not judged:
        return "Nobody has judged yet"
    said = []
    if below:
        verb = "agrees" if len(below) == 1 else "agree"
        said.append(f"{listed(below)} {verb} less with the others than they do with one another")
    if choosers:
        verb = "chooses" if len(choosers) == 1 else "choose"
        said.append(f"{listed(choosers)} {verb} one side more often than chance would")
    if said:
        return "; ".join(said)
    return (
        f"{many(len(judged), 'annotators').capitalize()} have judged, and nobody stands apart"
        if (len(judged) > 1)
        else "One annotator has judged"
    )
