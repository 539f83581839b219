"""The product served by threads of this process, on a free port, for benchmarks and races."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def serve_here() -> Iterator[tuple[str, int]]:
    """Serve on 127.0.0.1; each request has a thread and a database connection of its own."""
    # Django's parts can be imported once it is set up.
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler  # noqa: PLC0415

    from config.wsgi import application  # noqa: PLC0415

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing of single requests."""

    class Server(ThreadedWSGIServer):
        request_queue_size = 256
        # Closing waits for every thread, and with it for every database connection.
        daemon_threads = False

    server = Server(("127.0.0.1", 0), Quiet)
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield "127.0.0.1", server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def session_of(user: Any) -> str:
    """The session cookie of somebody who is signed in."""
    from django.test import Client  # noqa: PLC0415

    client = Client()
    client.force_login(user)
    return client.cookies["session"].value
