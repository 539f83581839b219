"""What suites are called: short names that can stand in a command, with an optional version."""

import re
import unicodedata
from collections.abc import Sequence

from annotate.parsing import Source
from evals.formats import Recognised
from evals.models import Suite

MOST_CHARS = 80
NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{MOST_CHARS}}}")
OF_NAME = "Use letters, digits, - and _, at most 80 of them."
VERSIONED = re.compile(r"(?P<name>[^@]+)(?:@(?P<version>[0-9]{1,9}))?")


class SuiteNameError(ValueError):
    """A suite cannot be called that."""


def valid_name(name: str) -> str:
    """Raises SuiteNameError unless a suite may be called `name`."""
    if not NAME.fullmatch(name):
        raise SuiteNameError(f"{name[:100]!r} cannot be a suite's name. {OF_NAME}")
    return name


def name_from(sources: Sequence[Source], recognised: Sequence[Recognised] = ()) -> str:
    """What a suite is called when nobody says: after its file, the one that holds the cases."""
    if not sources:
        return "suite"
    kinds = [one.kind for one in recognised]
    place = kinds.index("cases") if "cases" in kinds else 0
    last = sources[min(place, len(sources) - 1)].name.replace("\\", "/").rsplit("/", 1)[-1]
    stem = last.rpartition(".")[0] or last
    letters = unicodedata.normalize("NFKD", stem)
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-")[:MOST_CHARS] or "suite"


def title_of(name: str) -> str:
    """The title of the last version, or the name in plain words."""
    last = Suite.objects.filter(name=name).order_by("-version").first()
    if last is not None:
        return str(last.title)
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:] or name
