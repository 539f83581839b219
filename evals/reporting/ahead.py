"""Counting ahead: whoever opens a page of a large study finds counted what it shows."""

import itertools
from collections.abc import Callable
from functools import partial

from django.core.cache import cache
from django.db.models import Count, QuerySet

from annotate.models import Study
from annotate.models.pulse import Pulse
from config.origin import code_name
from evals import queries
from evals.models import CountedPart
from evals.queries import looks
from evals.queries.kept import A_WEEK
from evals.queries.parts import LARGE
from evals.queries.patience import StillCountingError, patience
from evals.queries.state import judged_state
from evals.queries.texts import texts
from evals.reporting.agreement import agreement_of, parts_of
from evals.tallies import Ties

# Seconds after which a page that waits may use what is counted.
SLICE = 2.0
# A study, whose judgements, the level of confidence, what becomes of ties.
COUNTS: tuple[Callable[[Study, queries.Source | None, float, Ties], object], ...] = (
    lambda study, only, *_: queries.sided_votes(study, only),
    lambda study, only, *_: queries.criterion_votes(study, only),
    lambda study, only, *_: queries.length_votes(study, only),
    lambda study, only, *_: queries.progress(study),
    lambda study, only, *_: queries.people_counted(study, only),
    lambda study, _, level, __: queries.median_seconds(study, confidence=level),
    lambda study, only, *_: queries.imported_count(study, only),
    lambda study, only, *_: queries.reference_counts(study),
    lambda study, only, *_: queries.disputed_items(study, only),
    lambda study, *_: texts(study),
    lambda study, only, _, ties: looks.looks(study, only, ties),
    lambda study, only, level, _: agreement_of(study, only, level),
    lambda study, only, level, _: parts_of(study, only, level),
)


def large_studies() -> QuerySet[Study]:
    """Studies that take longer to count than anybody waits for a page."""
    blocks = Pulse.objects.values("study").annotate(blocks=Count("block", distinct=True))
    return Study.objects.filter(pk__in=blocks.filter(blocks__gte=LARGE).values("study"))


def count_ahead(
    study: Study, only: queries.Source | None, confidence: float, ties: Ties = "half"
) -> None:
    """Count what has changed, for all pages, as they open unless asked otherwise."""
    key = f"counted-ahead-{study.pk}-{only}"
    state = f"{judged_state(study)}-{code_name()}-{confidence}-{ties}"
    if cache.get(key) == state:
        return
    for count in COUNTS:
        _count(partial(count, study, only, confidence, ties))
    cache.set(key, state, A_WEEK)


def _count(count: Callable[[], object]) -> None:
    """A slice at a time: what was counted is there to be used, whatever becomes of the rest."""
    for tries in itertools.count():
        try:
            with patience(SLICE, tries), queries.snapshot():
                count()
        except StillCountingError:
            continue
        return


def forget_others_code() -> None:
    """Delete what another version of the code has counted: nobody will ask for it again."""
    CountedPart.objects.exclude(state__endswith=code_name()[:32]).delete()
