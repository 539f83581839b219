"""Find the Chromium that the browser tests drive: `python -m tests.browser.chromium`.

With `--install` it is fetched where that is possible; otherwise one line says what to do.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
MISSING = (
    "The browser tests need Chromium. Install it (Debian: apt-get install chromium; elsewhere: "
    ".venv/bin/playwright install --with-deps chromium), or set CHROMIUM to its path."
)


class ChromiumMissingError(Exception):
    """No browser here; the text says what to install."""


def find_chromium() -> str | None:
    """The path of a browser: what CHROMIUM names, else the system's, else Playwright's own."""
    named = os.environ.get("CHROMIUM", "")
    if named:
        found = shutil.which(named)
        if found is None:
            raise ChromiumMissingError(f"CHROMIUM={named}: there is no such program.")
        return found
    installed = (*(shutil.which(name) for name in NAMES), *APPLICATIONS)
    return next(filter(_is_program, installed), None) or _of_playwright()


def install_chromium() -> str:
    for command in _installers():
        print(f"Chromium is missing; trying: {' '.join(command)}", file=sys.stderr, flush=True)
        done = subprocess.run(command, stdout=sys.stderr, check=False)
        found = find_chromium() if done.returncode == 0 else None
        if found:
            return found
    raise ChromiumMissingError(MISSING)


def _is_program(path: str | None) -> bool:
    return path is not None and os.access(path, os.X_OK)


def _of_playwright() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if _is_program(path) else None


def _installers() -> list[list[str]]:
    root = os.geteuid() == 0
    playwright = [sys.executable, "-m", "playwright", "install", "chromium"]
    # Ubuntu's package only points to a snap, which containers cannot run.
    if root and shutil.which("apt-get") and not _is_ubuntu():
        update = ["apt-get", "-qq", "update"]
        install = ["apt-get", "-qq", "install", "--yes", "--no-install-recommends"]
        return [update, [*install, "chromium", "fonts-dejavu-core"], playwright]
    return [[*playwright, "--with-deps"] if root and shutil.which("apt-get") else playwright]


def _is_ubuntu() -> bool:
    try:
        return "ID=ubuntu" in Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return False


def main(arguments: list[str]) -> int:
    try:
        found = find_chromium() or (install_chromium() if "--install" in arguments else None)
        if found is None:
            raise ChromiumMissingError(MISSING)
    except ChromiumMissingError as error:
        print(error, file=sys.stderr)
        return 1
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
