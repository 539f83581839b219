"""Samples of Inspect's chunked layout: a shell, and sequences in chunks named by their start."""

import re
from collections.abc import Iterator

from annotate.parsing.contract import JSON
from evals.formats.archive import Archive
from evals.formats.entries import Decoder
from evals.formats.values import a_dict, a_list

SHELL = re.compile(r"(samples/.+_epoch_[0-9]{1,9})/sample\.json")
REFERENCE = re.compile(r"attachment://([0-9]{1,9})")


def chunked_shell(name: str) -> str:
    """The folder of a sample if `name` is its shell, or ""."""
    match = SHELL.fullmatch(name)
    return match.group(1) if match else ""


class ChunkedSample:
    """One sample; chunks of attachments are read when something refers to them."""

    def __init__(self, archive: Archive, prefix: str, decoder: Decoder) -> None:
        self._archive = archive
        self._prefix = prefix
        self._decoder = decoder
        self._names = frozenset(archive.names)
        self._starts = self._chunk_starts("attachments")
        self._held: tuple[int, list[JSON]] = (-1, [])

    def values(self) -> dict[str, JSON]:
        """The shell, its metadata beside it, with all references resolved."""
        found = a_dict(self._read(f"{self._prefix}/sample.json"))
        metadata = f"{self._prefix}/metadata.json"
        if metadata in self._names:
            found = {**found, "metadata": self._read(metadata)}
        return {name: self._resolved(value) for name, value in found.items()}

    def events(self) -> Iterator[str]:
        """The text of each chunk of events."""
        for start in self._chunk_starts("events"):
            name = f"{self._prefix}/events/{start}.json"
            yield self._archive.read(name).decode("utf-8", "replace")

    def _read(self, name: str) -> JSON:
        text = self._archive.read(name).decode("utf-8", "surrogateescape")
        value, _ = self._decoder.value(text, None, 1)
        return value

    def _chunk_starts(self, sequence: str) -> list[int]:
        pattern = re.compile(rf"{re.escape(self._prefix)}/{sequence}/([0-9]{{1,9}})\.json")
        return sorted(
            int(match.group(1)) for name in self._names if (match := pattern.fullmatch(name))
        )

    def _resolved(self, value: JSON) -> JSON:
        if isinstance(value, dict):
            return {name: self._resolved(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._resolved(inner) for inner in value]
        match = REFERENCE.fullmatch(value) if isinstance(value, str) else None
        return self._attachment(int(match.group(1)), value) if match else value

    def _attachment(self, index: int, instead: JSON) -> JSON:
        starts = [start for start in self._starts if start <= index]
        if not starts:
            return instead
        start = starts[-1]
        if self._held[0] != start:
            self._held = (start, a_list(self._read(f"{self._prefix}/attachments/{start}.json")))
        items = self._held[1]
        return items[index - start] if index - start < len(items) else instead
