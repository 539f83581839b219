"""Figures that are looked at: declared with Altair, drawn on the server. No database, no web."""

from evals.figures.drawing import FORMATS, Format, draw
from evals.figures.figure import SIZES, Figure, NoFigure, Size
from evals.figures.themes import SHADES, THEMES, Shade

__all__ = [
    "FORMATS",
    "SHADES",
    "SIZES",
    "THEMES",
    "Figure",
    "Format",
    "NoFigure",
    "Shade",
    "Size",
    "draw",
]
