"""Judgements made elsewhere: taken into a study whole or not at all, and kept apart there."""

from annotate.receiving.receipts import AnnotatorCount, Receipt, ReceiptData, receipt_data
from annotate.receiving.taking import check_judgements, import_judgements
from annotate.receiving.waiting import (
    accept_file,
    check_file_again,
    discard_file,
    options_from,
    receive_file,
)

__all__ = [
    "AnnotatorCount",
    "Receipt",
    "ReceiptData",
    "accept_file",
    "check_file_again",
    "check_judgements",
    "discard_file",
    "import_judgements",
    "options_from",
    "receipt_data",
    "receive_file",
]
