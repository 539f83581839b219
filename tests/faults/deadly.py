"""The product for gunicorn, with a worker that can be told at which statement it is killed.

`?die_at=7` kills it with SIGKILL when it is about to send its seventh statement,
`?die_at=answer` when it is about to answer. FAULT_CARELESS takes the transaction of a
judgement away, and the locks that cannot be without one.
"""

import os
import signal
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from django.db import connection
from django.template.loader import get_template

from config.embedded import CODE
from config.wsgi import application as product

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


class Fuse:
    """Counts the statements of one request, and kills its process at the one that was named."""

    def __init__(self, at: str) -> None:
        self.at = at
        self.count = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.count += 1
        if self.at == str(self.count):
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*arguments)


def application(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
    fuse = Fuse(parse_qs(environ["QUERY_STRING"]).get("die_at", [""])[0])
    with connection.execute_wrapper(fuse):
        answer = product(environ, start)
    if fuse.at == "answer":
        os.kill(os.getpid(), signal.SIGKILL)
    return answer


# Before it forks: otherwise each new worker would import all pages and read all templates at its
# first request, which is mostly its last.
import_module("config.urls")
for template in (CODE / "templates").rglob("*.html"):
    get_template(str(template.relative_to(CODE / "templates")))

if os.environ.get("FAULT_CARELESS"):
    # By name, for the product had to be set up before.
    judging, querysets = map(import_module, ("annotate.judging", "annotate.querysets"))
    judging.transaction = SimpleNamespace(atomic=nullcontext)  # type: ignore[attr-defined]
    querysets.TaskQuerySet.select_for_update = lambda tasks, **options: tasks
