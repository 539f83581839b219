"""Whether a suite asks what a model was trained on: then its answers show memory, not skill."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from annotate.parsing import Source
from annotate.parsing.keyindex import KeyIndex
from evals.formats import CaseRecord, read_cases
from evals.formats.chat import content_text
from evals.metrics.texts import Normalisation, normalised
from evals.suites.reading import limits_of_this_site

# White space, case and compatible forms of letters are no other question.
ALIKE = Normalisation(form="nfkc", case="fold", spaces="collapse")
NAMED = 5


@dataclass
class Overlap:
    """`cases` of the suite ask, word for word, what one of `examples` of the training file does.

    `unread` counts what is wrong with the training file: those examples were not compared.
    """

    cases: int = 0
    of: int = 0
    examples: int = 0
    unread: int = 0
    ids: list[str] = field(default_factory=list)


def overlap_of(
    sources: Sequence[Source], training: Source, *, format: str | None = None
) -> Overlap:
    """Compare the last question of each case with every question of a training file."""
    found, known = Overlap(), KeyIndex()
    lessons = read_cases([training], limits=limits_of_this_site())
    for lesson in lessons:
        found.examples += 1
        for text in _questions(lesson):
            known.first(found.examples, text)
    found.unread = lessons.report.error_count
    for case in read_cases(sources, format=format, limits=limits_of_this_site()):
        found.of += 1
        if any(known.get(text) is not None for text in _questions(case)[-1:]):
            found.cases += 1
            if len(found.ids) < NAMED:
                found.ids.append(case.id)
    return found


def _questions(case: CaseRecord) -> list[str]:
    said = [
        content_text(message.get("content"))
        for message in case.messages
        if message.get("role") == "user"
    ]
    return [normalised(text, ALIKE) for text in said if text and text.strip()]
