"""What runs would ask and cost, told before they are started."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.db.models import Avg

from evals.models import Endpoint, Generation, Suite
from evals.running.terms import BYTES_A_TOKEN, Terms, settings_of, terms_of

SIZES = """
SELECT count(*), coalesce(sum(octet_length(messages::text) + octet_length(tools::text)), 0)::bigint
FROM evals_case WHERE suite_id = %s
"""


@dataclass(frozen=True, slots=True)
class Forecast:
    """One run that is not started yet.

    Attributes
    ----------
    calls, most_calls : int
        If every first try succeeds; if every case needs all its tries.
    cost : Decimal or None
        Expected of the first tries; None without prices, or if nobody knows how long answers are.
    most : Decimal or None
        What one try of each case can cost at most; None without prices, or if no limit is set.
    mean_tokens : float or None
        Of answers of this endpoint to any version of this suite, on which `cost` rests.
    """

    system: str
    endpoint: Endpoint
    calls: int
    most_calls: int
    cost: Decimal | None
    most: Decimal | None
    mean_tokens: float | None


def forecast(suite: Suite, endpoints: Mapping[str, Endpoint]) -> list[Forecast]:
    """What a run of each system would take."""
    with connection.cursor() as cursor:
        cursor.execute(SIZES, [suite.pk])
        cases, size = cursor.fetchone()
    return [
        _forecast(suite, system, endpoint, cases, size) for system, endpoint in endpoints.items()
    ]


def _forecast(suite: Suite, system: str, endpoint: Endpoint, cases: int, size: int) -> Forecast:
    terms = terms_of(settings_of(endpoint))
    mean = _mean_tokens(suite, endpoint)
    return Forecast(
        system,
        endpoint,
        cases,
        cases * endpoint.max_tries,
        _expected(terms, size, mean, cases),
        _most(terms, size, cases),
        mean,
    )


def _mean_tokens(suite: Suite, endpoint: Endpoint) -> float | None:
    answered = Generation.objects.filter(
        run__endpoint=endpoint, run__suite__name=suite.name, completion_tokens__isnull=False
    )
    mean: float | None = answered.aggregate(mean=Avg("completion_tokens"))["mean"]
    return mean


def _expected(terms: Terms, size: int, mean: float | None, cases: int) -> Decimal | None:
    return None if mean is None else terms.price_of(size // BYTES_A_TOKEN, round(mean * cases))


def _most(terms: Terms, size: int, cases: int) -> Decimal | None:
    if terms.output_limit is None or terms.input_price is None:
        return None
    # The bound of each case, added up: what surrounds a prompt is counted case by case.
    return terms.bound(0) * cases + (terms.price_of(size, 0) or 0)
