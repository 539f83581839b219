"""A verdict as Markdown, as GitHub renders it. Names and words of people stay words.

Whatever people typed is escaped: it makes no link, no heading, no table cell, no mention.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from evals.reporting.decided import (
    Document,
    counted_line,
    input_rows,
    policy_lines,
    signed_line,
    waiver_lines,
    warnings,
    when,
)
from evals.reporting.gates import gate_rows, headline, reading
from evals.reporting.numbers import level

# Marks that Markdown reads as its own wherever they stand, and those that begin a block.
MARKS = re.compile(r"([\\`*_\[\]<>#|~$&])")
BEGINS = re.compile(r"^([-+=]|\d+(?=[.)]))")
# What GitHub makes a link of, without being asked.
LINKS = re.compile(r"(?<![A-Za-z0-9])(www(?=\.)|(?:https?|ftp|mailto|xmpp)(?=:))", re.IGNORECASE)
# Behind a comment that nobody sees, an address, a mention or a number of an issue is none.
REFERS = re.compile(r"(@|\\#)(?=\w)")
CONTROLS = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")


def escaped(text: str) -> str:
    """One line of plain words, whatever it holds."""
    one_line = " ".join(CONTROLS.sub("\ufffd", text).split())
    marked = LINKS.sub(r"\1\\", MARKS.sub(r"\\\1", one_line))
    return REFERS.sub(r"\1<!-- -->", BEGINS.sub(_literally, marked))


def _literally(begun: re.Match[str]) -> str:
    """A dash as a dash; of a number the mark behind it."""
    mark = begun[1]
    return f"{mark}\\" if mark.isdigit() else f"\\{mark}"


def quoted(text: str) -> str:
    """Several lines as a quotation."""
    return "\n".join(f"> {escaped(line)}".rstrip() for line in text.splitlines()) or ">"


def decided_markdown(document: Document) -> bytes:
    return ("\n\n".join(_blocks(document)) + "\n").encode()


def _blocks(document: Document) -> Iterator[str]:
    evidence = dict(document.evidence)
    study = evidence["study"]
    yield f"# {evidence['verdict']}: {escaped(headline(evidence))}"
    yield (
        f"May **{escaped(study['candidate'])}** replace **{escaped(study['baseline'])}**? "
        f"Study {escaped(study['name'])}, `{study['slug']}`."
    )
    yield from _signed(document)
    if document.record is None:
        yield f"Evidence as of {escaped(when(document.made_at))}. Not a signed decision."
    yield from (f"> {escaped(note)}" for note in evidence.get("notes", ()))
    yield "## Gates"
    yield _table(evidence)
    confidence = level(evidence["policy"]["confidence"])
    yield (
        f"A gate is met only when its whole {confidence} interval clears the threshold; where no "
        "failure at all is allowed, when none was seen."
    )
    yield _list(_told(gate) for gate in evidence["gates"])
    yield "## Judgements"
    yield escaped(counted_line(evidence))
    yield "## Policy"
    yield _list(escaped(line) for line in policy_lines(evidence))
    yield "## What was weighed"
    yield _list(f"{escaped(name)}: {escaped(what)}" for name, what in input_rows(document))


def _signed(document: Document) -> Iterator[str]:
    record = document.record
    if record is None:
        return
    yield f"**{escaped(signed_line(record))}.**"
    yield quoted(record["rationale"])
    if record["second"] and record["second"]["comment"]:
        yield quoted(record["second"]["comment"])
    yield from (f"**Note.** {escaped(line)}" for line in warnings(document))
    if lines := waiver_lines(record):
        yield "Waivers, which change no number:"
        yield _list(escaped(line) for line in lines)


def _table(evidence: dict[str, Any]) -> str:
    rows = [
        "| Gate | Asks for | Answer | Result | Interval | n |",
        "| --- | --- | --- | ---: | ---: | ---: |",
    ]
    for row in gate_rows(evidence):
        name = row.title if row.required else f"{row.title} (not required)"
        number = row.number
        cells = (name, row.asks, row.status, number.value, number.interval or "–",
                 number.n if number.estimate else "–")  # fmt: skip
        rows.append(f"| {' | '.join(escaped(cell) for cell in cells)} |")
    return "\n".join(rows)


def _told(gate: dict[str, Any]) -> str:
    return f"**{escaped(gate['title'])}.** {escaped(reading(gate))}"


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
