"""Colours and faces of figures: those of the pages, read from the same stylesheet."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Shade = Literal["light", "dark"]
SHADES: tuple[Shade, ...] = ("light", "dark")
TOKENS = Path(__file__).parents[2] / "static" / "css" / "tokens.css"
_PAIR = re.compile(r"--([a-z0-9-]+):\s*light-dark\((#[0-9a-f]{3,6}),\s*(#[0-9a-f]{3,6})\)")
# What is drawn on the server needs a face that servers have.
FACE = "Liberation Sans, DejaVu Sans, Arial, sans-serif"


def read_tokens(text: str) -> dict[str, tuple[str, str]]:
    """Name of a colour: as it is in light, and in dark."""
    return {name: (light, dark) for name, light, dark in _PAIR.findall(text)}


_COLOURS = read_tokens(TOKENS.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Theme:
    """One of the two looks of a page."""

    shade: Shade

    def __getitem__(self, name: str) -> str:
        """The colour called `name` in the stylesheet."""
        return _COLOURS[name][SHADES.index(self.shade)]

    @property
    def config(self) -> dict[str, Any]:
        """What Vega calls a config: everything but the data."""
        text = {"labelColor": self["ink-2"], "titleColor": self["ink-2"]}
        sizes = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
        return {
            "background": self["sheet"],
            "font": FACE,
            "padding": 12,
            "view": {"stroke": None},
            "axis": {
                **text,
                **sizes,
                "domainColor": self["edge"],
                "tickColor": self["edge"],
                "gridColor": self["line"],
                "labelLimit": 220,
            },
            "axisY": {"domain": False, "ticks": False, "labelPadding": 8},
            "legend": {**text, **sizes, "orient": "top", "title": None, "symbolType": "square"},
            "header": {**text, **sizes},
            "text": {"color": self["ink"], "fontSize": 12},
        }


THEMES = {shade: Theme(shade) for shade in SHADES}
