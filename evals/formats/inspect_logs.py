"""Inspect logs: one JSON document, or a ZIP archive (.eval) with a member for each sample.

Samples of the archive are read key by key, so the events of a sample, its largest part by far,
are passed over without being held.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from annotate.parsing.contract import JSON
from annotate.parsing.elements import Element
from annotate.parsing.faults import HaltError, shown
from annotate.parsing.lines import CountedStream, decoded_chunks, uncounted
from evals.formats.archive import Archive, ArchiveError
from evals.formats.chunked import ChunkedSample, chunked_shell
from evals.formats.entries import Decoder, Walk, decoded, walk_stream
from evals.formats.inspect_samples import SAMPLE_KEYS, Settings, record_of_sample, settings_of
from evals.formats.pieces import piece_stream
from evals.formats.reading import Input, Job
from evals.formats.records import OutputRecord
from evals.formats.values import a_dict

WHOLE = frozenset({(), ("samples",)})
TOP = frozenset({()})
HEADERS = ("header.json", "_journal/start.json")
SAMPLE = re.compile(r"samples/(.+)_epoch_([0-9]{1,9})\.json")
CACHED = re.compile(r'"cache"\s*:\s*"read"')
MODEL_CALL = re.compile(r'"event"\s*:\s*"model"')


@dataclass
class Sample:
    """What of a sample is used, and what its events tell."""

    values: dict[str, JSON] = field(default_factory=dict)
    cached: bool = False
    model_calls: int = 0
    events_read: bool = True

    def take_events(self, text: str | None) -> None:
        if text is None:
            self.events_read = False
            return
        self.cached = self.cached or CACHED.search(text) is not None
        self.model_calls += len(MODEL_CALL.findall(text))


def outputs_of_inspect(job: Job) -> Iterator[OutputRecord]:
    for one in job.inputs:
        if one.recognised.format == "inspect_json":
            yield from _document(one, job)
        elif one.recognised.format == "inspect_eval":
            try:
                yield from _archive(one, job)
            except ArchiveError as error:
                job.log.error(error.code, str(error), file=one.name)
                raise HaltError from error


def _document(one: Input, job: Job) -> Iterator[OutputRecord]:
    decoder = Decoder(job.log, job.limits, file=one.name, nan=True)
    header: dict[str, JSON] = {}
    row = 0
    with one.source.open() as stream:
        for path, element in walk_stream(stream, decoder).pieces(WHOLE):
            if path == ("samples",):
                row += 1
                values = decoded(element, decoder, row)
                if values is not None:
                    sample = _whole(values, element)
                    settings = settings_of(a_dict(header.get("eval")))
                    yield _record(sample, settings, row, element.line, one, job)
            elif path[-1] in ("eval", "status"):
                header[path[-1]] = decoder.value(element.text or "null", None, element.line)[0]
    _note_status(header, one, job)


def _note_status(header: dict[str, JSON], one: Input, job: Job) -> None:
    if header.get("status") != "success":
        job.log.note("unfinished", None, None, one.name)


def _whole(values: dict[str, JSON], element: Element) -> Sample:
    sample = Sample(values)
    sample.take_events(element.text)
    return sample


def _record(
    sample: Sample, settings: Settings, row: int, line: int, one: Input, job: Job
) -> OutputRecord:
    # Without its events nobody knows whether an answer of a caching run came from the cache.
    cached = sample.cached or (settings.may_cache and not sample.events_read)
    measured = not (cached or settings.batch)
    if cached:
        job.log.note("from_cache", row, line, one.name)
    if sample.model_calls > 1 and measured:
        job.log.note("several_calls", row, line, one.name)
    return record_of_sample(sample.values, settings, measured=measured, row=row, line=line)


def _archive(one: Input, job: Job) -> Iterator[OutputRecord]:
    decoder = Decoder(job.log, job.limits, file=one.name, nan=True)
    with one.source.open() as stream:
        archive = Archive(stream)
        header = _header(archive, decoder)
        settings = settings_of(a_dict(header.get("eval")))
        if "header.json" not in archive.names:
            job.log.note("unfinished", None, None, one.name)
        else:
            _note_status(header, one, job)
        for row, read in enumerate(_samples(archive, decoder), 1):
            sample = read()
            if sample is not None:
                yield _record(sample, settings, row, 1, one, job)


def _header(archive: Archive, decoder: Decoder) -> dict[str, JSON]:
    name = next(name for name in HEADERS if name in archive.names)
    inner = _inside(decoder, name)
    return {
        path[-1]: inner.value(element.text or "null", None, element.line)[0]
        for path, element in _pieces(archive, name, inner)
        if path in (("eval",), ("status",))
    }


def _inside(decoder: Decoder, name: str) -> Decoder:
    """A decoder whose faults name the member of the archive."""
    file = f"{decoder.file} {shown(name, 80)[1:-1]}".strip()
    return Decoder(decoder.log, decoder.limits, file=file, nan=True)


def _pieces(
    archive: Archive, name: str, decoder: Decoder
) -> Iterator[tuple[tuple[str, ...], Element]]:
    """The keys of a member, one at a time."""
    data = CountedStream(piece_stream(archive.chunks(name)), uncounted)
    yield from Walk(decoded_chunks(data), 0, decoder).pieces(TOP)


def _samples(archive: Archive, decoder: Decoder) -> Iterator[Callable[[], Sample | None]]:
    for name in archive.names:
        if SAMPLE.fullmatch(name):
            yield lambda name=name: _single(archive, name, decoder)  # type: ignore[misc]
        elif prefix := chunked_shell(name):
            yield lambda prefix=prefix: _chunked(archive, prefix, decoder)  # type: ignore[misc]


def _single(archive: Archive, name: str, decoder: Decoder) -> Sample | None:
    sample, inner = Sample(), _inside(decoder, name)
    before = decoder.log.error_count
    for path, element in _pieces(archive, name, inner):
        if path == ("events",):
            sample.take_events(element.text)
        elif len(path) == 1 and path[0] in SAMPLE_KEYS:
            _take(sample, path[0], element, inner)
    return sample if decoder.log.error_count == before else None


def _take(sample: Sample, key: str, element: Element, decoder: Decoder) -> None:
    if element.text is None:
        decoder.fault("cell_too_long", f"{key} is too long.", None, element.line)
        return
    sample.values[key] = decoder.value(element.text, None, element.line)[0]


def _chunked(archive: Archive, prefix: str, decoder: Decoder) -> Sample | None:
    reader = ChunkedSample(archive, prefix, _inside(decoder, prefix))
    before = decoder.log.error_count
    sample = Sample(reader.values())
    for text in reader.events():
        sample.take_events(text)
    return sample if decoder.log.error_count == before else None
