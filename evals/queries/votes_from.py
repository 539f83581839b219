"""Which judgements count: of one source or of both."""

from typing import Literal

from django.db.models import QuerySet

from annotate.models import Judgement, Study

Source = Literal["blind", "imported"]


def counted_judgements(
    study: Study, only: Source | None = None, items: tuple[int, int] | None = None
) -> QuerySet[Judgement]:
    """The judgements that count, of one source or of both; of all items, or from one to another.

    Of both, whoever judged an item here and elsewhere is heard once, blind.
    """
    counted = Judgement.objects.counted_in(study, items)
    chosen: QuerySet[Judgement] = counted.filter(source=only) if only else counted.one_voice()
    return chosen
