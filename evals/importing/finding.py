"""Which suite outputs belong to where nobody says: one that has them, or one made of the file."""

from collections.abc import Sequence

from annotate.models import Study
from annotate.parsing import Source
from evals.formats import OUTPUT_READERS, Recognised
from evals.importing.joining import CaseIndex, join
from evals.importing.spooling import Spool
from evals.models import Suite
from evals.suites.naming import name_from, valid_name
from evals.suites.reading import SuiteDigest

MOST_TRIED = 10
MOST_NAMES = 1_000
USUAL_NAMES = {"alpaca_outputs": "alpaca_eval", "mt_bench_answers": "mt_bench"}


class TakenNameError(ValueError):
    """A suite of that name holds cases that were written, not prompts of outputs."""


def suite_of_outputs(study: Study, spool: Spool) -> Suite | None:
    """The suite, made of outputs for this study before, that asks what these outputs answer.

    None of the outputs may be left out, at least half of the cases must be answered, and where
    both sides have prompts those must agree.
    """
    made = Suite.objects.filter(format__in=OUTPUT_READERS, runs__study=study).distinct()
    for suite in made.order_by("-pk")[:MOST_TRIED]:
        joined = join(spool, CaseIndex(suite), "auto")
        alike = joined.matched - (joined.otherwise if joined.by == "id" else 0)
        if joined.matched == len(spool) and 2 * alike >= suite.case_count:
            return suite
    return None


def name_for(
    spool: Spool, sources: Sequence[Source], recognised: Sequence[Recognised], given: str
) -> tuple[str, bool]:
    """What the suite made of `spool` is called, and whether it would be a new version.

    The same prompts are the version that there is. Other prompts never become a version of a
    suite that somebody else's outputs have made, unless its name is given.

    Raises
    ------
    TakenNameError
        If `given` is the name of a suite that was not made of outputs.
    SuiteNameError
        If no suite can be called `given`.
    """
    digest = _digest(spool)
    if given:
        _refuse_written(valid_name(given))
        return given, not _holds(given, digest)
    mains = [one.format for one in recognised if one.kind != "companion"]
    usual = USUAL_NAMES.get(mains[0]) if mains else None
    start = usual or name_from(sources, recognised)
    for number in range(1, MOST_NAMES):
        name = start if number == 1 else f"{start[:70]}-{number}"
        # Asked once: between two questions somebody else may make it of the same prompts.
        there = set(Suite.objects.filter(name=name).values_list("digest", flat=True))
        if not there or digest in there:
            return name, not there
    raise TakenNameError(f"{MOST_NAMES:,} suites are called {start!r} already. Give a name.")


def _holds(name: str, digest: str) -> bool:
    return Suite.objects.filter(name=name, digest=digest).exists()


def _refuse_written(name: str) -> None:
    others = Suite.objects.filter(name=name).exclude(format__in=OUTPUT_READERS)
    if others.exists():
        raise TakenNameError(
            f"The suite {name!r} is there already and was not made of outputs. Choose it as the "
            "suite that was answered, or give another name."
        )


def _digest(spool: Spool) -> str:
    digest = SuiteDigest()
    for case in spool.each_case():
        digest.add(case)
    return digest.text
