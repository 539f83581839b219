"""The demonstration's files, read as the package holds them."""

import json
from pathlib import Path
from typing import Any

STUDY_FILE = Path(__file__).with_name("study.json")
ITEMS_FILE = Path(__file__).with_name("items.jsonl")


def load_study() -> dict[str, Any]:
    study: dict[str, Any] = json.loads(STUDY_FILE.read_text(encoding="utf-8"))
    return study


def load_items() -> list[dict[str, Any]]:
    # Split on LF alone: a text may hold other characters that str.splitlines() takes for one.
    lines = ITEMS_FILE.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]
