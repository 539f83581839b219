"""Figures as files: SVG for pages, PNG for documents."""

import json
from typing import Any, Literal

import altair as alt
import vl_convert

from evals.figures.themes import Theme

Format = Literal["svg", "png"]
FORMATS: tuple[Format, ...] = ("svg", "png")
PIXELS = 2.0


def specification(chart: alt.TopLevelMixin, theme: Theme) -> dict[str, Any]:
    """The chart in Vega-Lite, with the theme's colours; it fetches nothing."""
    declared: dict[str, Any] = json.loads(chart.to_json(validate=False))
    return declared | {"config": theme.config}


def draw(chart: alt.TopLevelMixin, theme: Theme, file_format: Format) -> bytes:
    """Draw a chart, without a browser and without the network."""
    declared = specification(chart, theme)
    if file_format == "png":
        return vl_convert.vegalite_to_png(
            declared, scale=PIXELS, allowed_base_urls=[], show_warnings=False
        )
    return vl_convert.vegalite_to_svg(declared, allowed_base_urls=[], show_warnings=False).encode()
