"""Log lines that no request can forge: one line each, control characters escaped, links cut."""

import logging
import re

# Whoever reads the log must not be able to follow somebody's one-time link.
ONE_TIME = re.compile(r"(/join/|/password/reset/key/)[^\s\"']+")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class LineFormatter(logging.Formatter):
    """`time level logger message`, on one line; a traceback is folded into it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        text = ONE_TIME.sub(r"\1***", super().format(record))
        return CONTROL.sub(lambda found: repr(found.group())[1:-1], text)
