"""Entry point for WSGI servers; what a server hands over in part is not taken for the whole."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application
from django.urls import resolve

if TYPE_CHECKING:
    from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class WholeBody:
    """The body of a request, which must be as long as was announced.

    When the line breaks in the middle of a form, gunicorn hands over what came, and Django
    would take half a comment for what was said: the whole one, sent again, would then be
    refused as another answer. Django reads an OSError as a broken line.
    """

    def __init__(self, stream: "InputStream", length: int) -> None:
        self._stream = stream
        self._left = length

    def read(self, size: int = -1, /) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._stream.read(wanted) if wanted else b""
        if len(data) < wanted:
            raise ConnectionResetError(f"The body ended {self._left - len(data)} bytes early.")
        self._left -= len(data)
        return data

    def readline(self, size: int = -1, /) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        line = self._stream.readline(wanted) if wanted else b""
        if len(line) < wanted and not line.endswith(b"\n"):
            raise ConnectionResetError(f"The body ended {self._left - len(line)} bytes early.")
        self._left -= len(line)
        return line


def whole_bodies(product: "WSGIApplication") -> "WSGIApplication":
    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        announced = environ.get("CONTENT_LENGTH") or ""
        if announced.isascii() and announced.isdigit():
            environ["wsgi.input"] = WholeBody(environ["wsgi.input"], int(announced))
        return product(environ, start)

    return answer


application = whole_bodies(get_wsgi_application())
# Reads all addresses now, so that the first request of a worker does not wait for it.
resolve("/healthz")
