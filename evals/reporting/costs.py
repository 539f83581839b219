"""What runs cost, in words: prices are in a currency of their own, which nobody has named."""

from decimal import Decimal

from evals.models import Run
from evals.running.forecasting import Forecast
from evals.running.progress import Progress
from evals.stats import wording

NO_PRICES, NOTHING, UNKNOWN = "no prices", "nothing", "unknown"
CURRENCY = "in the currency of the prices"


def money(amount: Decimal) -> str:
    """Two digits; four where that would be nothing."""
    return wording.decimal(float(amount), 4 if 0 < amount < Decimal("0.1") else 2)


def run_cost(run: Run, progress: Progress) -> tuple[str, str]:
    """What a run has cost, and how to read that; words alone where no price is known."""
    prices = [run.endpoint_settings.get(name) for name in ("input_price", "output_price")]
    if None in prices:
        imported = run.source == Run.Source.IMPORTED
        return NO_PRICES, "imported outputs name none" if imported else "its endpoint had none"
    if not any(Decimal(price) for price in prices):
        return NOTHING, _free(run.endpoint_settings.get("kind"))
    if progress.cost is None:
        return UNKNOWN, "no answer says how many tokens it took"
    return money(progress.cost), ", ".join([CURRENCY, *_beside(run, progress, progress.cost)])


def _free(kind: str | None) -> str:
    return "a stand-in costs nothing" if kind == "stand_in" else "its prices are zero"


def _beside(run: Run, progress: Progress, cost: Decimal) -> list[str]:
    told = []
    if progress.cost_in_all is not None and not progress.is_over:
        told.append(f"about {money(progress.cost_in_all)} in all")
    if progress.cost_reserved > cost:
        told.append(f"up to {money(progress.cost_reserved)} if failed calls are charged")
    if run.cost_limit is not None:
        told.append(f"limit {money(run.cost_limit)}")
    return told


def forecast_cost(told: Forecast) -> tuple[str, str]:
    """What a run would cost, and what that rests on."""
    endpoint = told.endpoint
    if endpoint.input_price is None or endpoint.output_price is None:
        return NO_PRICES, "the endpoint has none"
    if not (endpoint.input_price or endpoint.output_price):
        return NOTHING, _free(endpoint.kind)
    if told.cost is not None:
        mean = wording.decimal(told.mean_tokens or 0, 0)
        bound = f", at most {money(told.most)}" if told.most is not None else ""
        rests = f"{mean} tokens an answer, as in its runs so far{bound}"
        return f"about {money(told.cost)}", f"{CURRENCY}; {rests}"
    if told.most is None:
        return UNKNOWN, "no run so far, and no max_tokens among the endpoint's parameters"
    rests = "first tries, every answer as long as max_tokens allows"
    return f"at most {money(told.most)}", f"{CURRENCY}; {rests}"
