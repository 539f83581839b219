"""What a statistic answers: an estimate with its interval, or why there is none."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from evals.stats.errors import UndefinedError

P = ParamSpec("P")
T = TypeVar("T")

Json = dict[str, float | int | str | None]


def finite(number: float | None, name: str = "the result") -> float | None:
    """`number` as a plain float; None stays None.

    Raises
    ------
    UndefinedError
        If it is NaN or infinite: a page must never show such a thing.
    """
    if number is None:
        return None
    plain = float(number)
    if not math.isfinite(plain):
        raise UndefinedError(f"{name} left the range of numbers")
    return plain


@dataclass(frozen=True)
class Estimate:
    """A number that never travels alone.

    Attributes
    ----------
    value : float
        The estimate, in the unit of its statistic (shares are in [0, 1]).
    low, high : float or None
        Ends of the interval; None only where no interval exists, and `method` says why.
    n : int
        Observations behind it; the statistic says what it counts.
    method : str
        Statistic, interval and what to beware of, for the reader.
    confidence : float
        Coverage of the interval, in (0, 1).
    se : float or None
        Standard error, where there is a closed form.
    design_effect : float or None
        How many times more votes this takes than independent ones would.
    exact : bool
        Whether the interval inverts the exact binomial test (Clopper-Pearson), of `n` trials or
        of as many as they are worth.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    method: str
    confidence: float = 0.95
    se: float | None = None
    design_effect: float | None = None
    exact: bool = False

    def __post_init__(self) -> None:
        for name in ("value", "low", "high", "se", "design_effect"):
            object.__setattr__(self, name, finite(getattr(self, name), f"the {name}"))
        object.__setattr__(self, "n", int(self.n))

    def as_json(self) -> Json:
        """The object that every command prints for an estimate."""
        answer: Json = {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "confidence": self.confidence,
            "n": self.n,
            "method": self.method,
        }
        extras = {"se": self.se, "design_effect": self.design_effect}
        return answer | {name: extra for name, extra in extras.items() if extra is not None}


@dataclass(frozen=True)
class Undefined:
    """There is no number; this is not a zero."""

    reason: str
    n: int = 0
    method: str = ""

    def as_json(self) -> Json:
        """The object that every command prints where there is no estimate."""
        return {"value": None, "reason": self.reason, "n": self.n}


def attempt(fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T | Undefined:
    """Call `fn`; where it has no number, answer with the reason as a value.

    Anything but UndefinedError is a fault in the program and passes through.
    """
    try:
        return fn(*args, **kwargs)
    except UndefinedError as error:
        return Undefined(error.reason, error.n)
