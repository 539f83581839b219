"""Many connections at once, for the tests of races."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection


def in_parallel(count: int, act: Callable[[int], Any]) -> list[Any]:
    """What `count` threads with their own connections got, all let loose at once."""
    gate = threading.Barrier(count)
    results: list[Any] = [None] * count

    def run(number: int) -> None:
        try:
            gate.wait()
            results[number] = act(number)
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
