"""A look at one page after the other: widths, themes, landmarks, axe, the ring of the focus."""

from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDTHS = (1440, 390)
# The page says it in its log, where the visitor hears every error.
TELL = """document.addEventListener("securitypolicyviolation",
  (event) => console.error(`policy: ${event.effectiveDirective} ${event.blockedURI}`))"""
SKELETON = """() => ({
  headings: document.querySelectorAll("h1").length,
  landmarks: document.querySelectorAll("main").length,
  title: document.title.replace("Touchstone", "").replace("·", "").trim() !== "",
  language: document.documentElement.lang,
  overflow: Math.max(0, document.documentElement.scrollWidth - innerWidth),
})"""
WHOLE = {"headings": 1, "landmarks": 1, "title": True, "language": "en", "overflow": 0}
# A radio of a strip is drawn by its label, and so is its ring.
RING = """() => {
  const here = document.activeElement;
  if (here === document.body) return "";
  const drawn = [here, here.closest("label")].filter(Boolean).map((one) => getComputedStyle(one));
  const ringed = drawn.some((one) => one.outlineStyle !== "none" && one.outlineWidth !== "0px");
  return ringed ? "" : here.outerHTML.slice(0, 120);
}"""
TABS = 6
AXE = """axe.run({resultTypes: ["violations"], elementRef: false})"""


@dataclass
class Tour:
    """One visit of many pages; what is wrong is gathered, and told at once."""

    page: Page
    script: str = field(default_factory=lambda: Axe().axe_script)
    wrong: list[str] = field(default_factory=list)

    def visit(self, path: str, *, status: int = 200) -> None:
        self.page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        answer = self.page.goto(path)
        if answer is None or answer.status != status:
            self.wrong.append(f"{path}: {answer and answer.status}, not {status}")
        self.look(path)

    def look(self, path: str) -> None:
        """Both widths and both themes of the page that is open."""
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            found = self.page.evaluate(SKELETON)
            if found != WHOLE:
                self.wrong.append(f"{path} at {width}: {found}")
        self.page.evaluate(self.script)
        # Colours change with the theme, places with the width: two looks see each of the four.
        self._check(path, "light", WIDTHS[1])
        self._check(path, "dark", WIDTHS[0])
        self._tab(path)

    def _check(self, path: str, theme: Any, width: int) -> None:
        self.page.emulate_media(color_scheme=theme)
        self.page.set_viewport_size({"width": width, "height": 900})
        for found in self.page.evaluate(AXE)["violations"]:
            if found["impact"] in ("serious", "critical"):
                places = [node["html"][:160] for node in found["nodes"][:3]]
                self.wrong.append(f"{path} {theme} at {width}: {found['id']} {places}")

    def _tab(self, path: str) -> None:
        self.page.evaluate("scrollTo(0, 0)")
        for _ in range(TABS):
            self.page.keyboard.press("Tab")
            bare = self.page.evaluate(RING)
            if bare:
                self.wrong.append(f"{path}: no focus ring on {bare}")
