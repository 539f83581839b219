"""What several commands take on their line, read the same way by all of them."""

import argparse
from decimal import Decimal, InvalidOperation

MOST = 100_000_000


def at_least_one(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST):
        raise argparse.ArgumentTypeError(f"'{text}': write a whole number of at least 1")
    return int(text)


def money(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(0)
    if not (amount.is_finite() and 0 < amount < MOST):
        raise argparse.ArgumentTypeError(f"'{text}': write an amount above 0, such as 2.50")
    return amount
