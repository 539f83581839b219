"""The library openai, imported when the first question is asked.

To import it takes a second, as long as everything else of a process together, and few processes
ever ask: neither the web server nor most commands.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import openai
else:

    class _Library:
        """Stands for the module; importing is safe among threads."""

        def __getattr__(self, name: str) -> Any:
            return getattr(importlib.import_module("openai"), name)

    openai = _Library()


def load() -> None:
    """Import it now: whoever takes the time of a call does not want it in there."""
    importlib.import_module("openai")


__all__ = ["load", "openai"]
