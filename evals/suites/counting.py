"""What pages of suites ask the database: which there are, and what is in one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.db.models import Count, F, Max

from evals.formats import SHIPPED, ShippedSuite
from evals.models import Case, Run, Suite
from evals.suites.reading import FEW_CASES
from evals.suites.taking import check_suite


@dataclass(frozen=True, slots=True)
class SuiteCard:
    """A suite in the list: its last version, and how many there are."""

    suite: Suite
    versions: int
    categories: int
    last_run_at: datetime | None

    @property
    def cases(self) -> str:
        return f"{self.suite.case_count:,}"


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """How many cases of each split a category has; `few` for a sound interval?"""

    category: str
    target: int
    general: int

    @property
    def few(self) -> bool:
        return self.target + self.general < FEW_CASES

    @property
    def by_split(self) -> list[str]:
        return [f"{count:,}" if count else "–" for count in (self.target, self.general)]


def suite_cards() -> list[SuiteCard]:
    """Every suite by its name, with its last version."""
    shown = Suite.objects.exclude(format=Suite.DERIVED)
    latest = list(shown.order_by("name", "-version").distinct("name"))
    versions = dict(Suite.objects.values_list("name").annotate(n=Count("pk")).order_by())
    runs = dict(Run.objects.values_list("suite__name").annotate(at=Max("created_at")).order_by())
    categories = dict(
        Case.objects.filter(suite__in=latest)
        .values_list("suite")
        .annotate(n=Count("category", distinct=True))
        .order_by()
    )
    return [
        SuiteCard(suite, versions[suite.name], categories.get(suite.pk, 0), runs.get(suite.name))
        for suite in latest
    ]


def category_rows(suite: Suite) -> list[CategoryRow]:
    counts: dict[str, dict[str, int]] = {}
    found = suite.cases.values_list("category", "split").annotate(n=Count("pk")).order_by()
    for category, split, count in found:
        counts.setdefault(category, {})[split] = count
    return [
        CategoryRow(category, by_split.get("target", 0), by_split.get("general", 0))
        for category, by_split in sorted(counts.items())
    ]


def scorers_of(suite: Suite) -> dict[str, int]:
    """How many cases name which scorer; "" for those that name none."""
    found = suite.cases.values_list(F("scorer__name")).annotate(n=Count("pk")).order_by()
    return {name or "": count for name, count in found}


def not_yet_added() -> list[ShippedSuite]:
    """Suites that come with the product and are in no version here, as they are now."""
    known = set(
        Suite.objects.filter(name__in=[suite.name for suite in SHIPPED]).values_list(
            "name", "digest"
        )
    )
    return [suite for suite in SHIPPED if (suite.name, _shipped_digest(suite)) not in known]


@cache
def _shipped_digest(suite: ShippedSuite) -> str:
    """Read once a process: the files come with the code."""
    return check_suite([suite.source]).digest


def versions_of(suite: Suite) -> Sequence[Suite]:
    return list(
        Suite.objects.filter(name=suite.name)
        .select_related("imported_by")
        .annotate(run_count=Count("runs"))
        .order_by("-version")
    )
