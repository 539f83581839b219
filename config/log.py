"""Log lines that no request can forge: one line each, control characters escaped."""

import logging
import re

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class LineFormatter(logging.Formatter):
    """`time level logger message`, on one line; a traceback is folded into it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return CONTROL.sub(lambda found: repr(found.group())[1:-1], text)
