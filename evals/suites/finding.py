"""Suites by their names, as commands and pages ask for them."""

from evals.formats import SHIPPED
from evals.models import Suite
from evals.suites.naming import VERSIONED
from evals.suites.taking import add_shipped

MOST_NAMED = 20


class NoSuiteError(Exception):
    """There is no such suite; the message says which ones there are."""


def suite_named(text: str) -> Suite:
    """The latest version of the suite "name", or exactly "name@2".

    A suite that comes with the product is taken in when it is first asked for.

    Raises
    ------
    NoSuiteError
        If there is none of that name or version.
    """
    match = VERSIONED.fullmatch(text)
    if match is None:
        raise NoSuiteError(f"{text[:100]!r} is no suite's name. Write name, or name@version.")
    name, version = match["name"], match["version"]
    versions = Suite.objects.filter(name=name).order_by("-version")
    found = versions.first() if version is None else versions.filter(version=int(version)).first()
    if found is None and not versions.exists():
        found = _shipped(name, version)
    if found is None:
        raise NoSuiteError(_there_are(name, version))
    return found


def _shipped(name: str, version: str | None) -> Suite | None:
    if name not in {suite.name for suite in SHIPPED} or version not in (None, "1"):
        return None
    return add_shipped(name).suite


def _there_are(name: str, version: str | None) -> str:
    numbers = Suite.objects.filter(name=name).order_by("version").values_list("version", flat=True)
    if version is not None and (known := [str(number) for number in numbers]):
        return f"The suite {name} has no version {version}. Versions: {', '.join(known)}."
    shown = Suite.objects.exclude(format=Suite.DERIVED)
    names = set(shown.order_by("name").values_list("name", flat=True).distinct())
    names |= {suite.name for suite in SHIPPED}
    told = sorted(names)
    more = f" and {len(told) - MOST_NAMED:,} more" if len(told) > MOST_NAMED else ""
    return f"No suite is called {name[:100]!r}. Suites: {', '.join(told[:MOST_NAMED])}{more}."
