"""What a figure holds once it is declared, and whether it is drawn in every look."""

import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from evals.figures import SHADES, SIZES, THEMES, Figure, draw
from evals.figures.drawing import specification


def drawn(found: Figure) -> list[dict[str, Any]]:
    """All rows that the chart holds."""
    declared = json.loads(
        json.dumps(specification(found.build(THEMES["light"], "wide"), THEMES["light"]))
    )
    return [row for values in _values(declared) for row in values]


def _values(part: Any) -> Iterator[list[dict[str, Any]]]:
    if isinstance(part, dict):
        for name, inner in part.items():
            if (
                name == "values"
                and isinstance(inner, list)
                and inner
                and isinstance(inner[0], dict)
            ):
                yield inner
            else:
                yield from _values(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _values(inner)


def assert_every_look(found: Figure) -> None:
    for shade in SHADES:
        for size in SIZES:
            drawn_as = draw(found.build(THEMES[shade], size), THEMES[shade], "svg")
            assert ElementTree.fromstring(drawn_as).tag.endswith("svg")  # noqa: S314 - our own
            assert THEMES[shade]["sheet"].encode() in drawn_as
            png = draw(found.build(THEMES[shade], size), THEMES[shade], "png")
            assert png[:4] == b"\x89PNG"
