"""How many candidate outputs match their reference, and are valid JSON where JSON is due."""

from dataclasses import dataclass

from django.db.models import Count, F, Func, Q, TextField, Value
from django.db.models.functions import Left

from annotate.models import Item, Study
from evals.matching import is_structured, matches, parses
from evals.queries.kept import kept
from evals.queries.parts import Block, parts

# White space as Python strips it.
SPACE = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
# What can be the same JSON in another spelling begins like this; everything else is compared
# in the database. Before version 16 PostgreSQL cannot ask whether a text is JSON.
SPELLED = tuple('{["-0123456789')
CHUNK = 500


class Trimmed(Func):
    function = "btrim"
    output_field = TextField()


@dataclass(frozen=True, slots=True)
class ReferenceCounts:
    """Items with a reference, and what the candidate made of them.

    Attributes
    ----------
    references, matched : int
        Items with a reference; of these, outputs that match it.
    structured, valid : int
        Items whose reference is a JSON object or array; of these, outputs that are valid JSON.
    """

    references: int
    matched: int
    structured: int
    valid: int

    def __add__(self, other: "ReferenceCounts") -> "ReferenceCounts":
        return ReferenceCounts(
            self.references + other.references,
            self.matched + other.matched,
            self.structured + other.structured,
            self.valid + other.valid,
        )


NONE = ReferenceCounts(0, 0, 0, 0)


@kept
def reference_counts(study: Study) -> ReferenceCounts:
    """Hold every candidate output against its reference; an empty reference is none.

    Items made of runs are left out: their suite has its own scorers, and these have spoken.
    """
    return sum(parts(study, references_part), NONE)


def references_part(block: Block) -> ReferenceCounts | None:
    """The same of one block."""
    items = Item.objects.filter(study=block.study, pk__range=(block.first, block.last))
    given = (
        items.filter(reference__isnull=False, batch__run_batch=None)
        .annotate(
            wanted=Trimmed("reference", Value(SPACE)),
            given=Trimmed("candidate_output", Value(SPACE)),
        )
        .exclude(wanted="")
        .annotate(first=Left("wanted", 1))
    )
    plain = given.exclude(first__in=SPELLED).aggregate(
        n=Count("pk"), matched=Count("pk", filter=Q(given=F("wanted")))
    )
    references, matched, structured, valid = plain["n"], plain["matched"], 0, 0
    rows = given.filter(first__in=SPELLED).values_list("wanted", "given")
    for wanted, output in rows.iterator(chunk_size=CHUNK):
        references += 1
        matched += matches(wanted, output)
        if is_structured(wanted):
            structured += 1
            valid += parses(output)
    return ReferenceCounts(references, matched, structured, valid)
