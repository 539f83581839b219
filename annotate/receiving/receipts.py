"""What became of a file of judgements, and the same as data that can be stored and shown."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypedDict

from annotate.models import JudgementImport
from annotate.parsing.judgements import JudgementReport, Said
from annotate.reports import faults_as_json, storable

EXAMPLE_CHARS = 200
SHOWN_FIELDS = (
    "line",
    "item_id",
    "annotator",
    "strength",
    "both_bad",
    "side",
    "seconds",
    "comment",
    "comparisons",
    "scores",
)


@dataclass(frozen=True, slots=True)
class AnnotatorCount:
    """What one person of a file said, counted; `is_user` where they have an account here."""

    name: str
    is_user: bool
    baseline: int
    tie: int
    both_bad: int
    candidate: int

    @property
    def n(self) -> int:
        return self.baseline + self.tie + self.both_bad + self.candidate


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a file holds, and its import where it was taken in.

    Attributes
    ----------
    judgements, items, annotators : int
        What would come in, or came in.
    counts : sequence of AnnotatorCount
        The people with most judgements first.
    new_items : int
        Items that the file brings itself.
    """

    report: JudgementReport
    taken: JudgementImport | None = None
    judgements: int = 0
    items: int = 0
    annotators: int = 0
    new_items: int = 0
    counts: Sequence[AnnotatorCount] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        return self.report.accepted


class ReceiptData(TypedDict):
    """A receipt as it waits with its file."""

    accepted: bool
    format: str
    recognised: str
    columns: list[list[str]]
    first_values: dict[str, str]
    rows: int
    judgements: int
    items: int
    annotators: int
    new_items: int
    counts: list[dict[str, Any]]
    left_out: dict[str, int]
    models: dict[str, int]
    errors: list[dict[str, Any]]
    error_count: int
    warnings: list[dict[str, Any]]
    examples: list[dict[str, Any]]


def receipt_data(receipt: Receipt) -> ReceiptData:
    report = receipt.report
    models = sorted(report.models.items(), key=lambda pair: -pair[1])[:20]
    return {
        "accepted": receipt.accepted,
        "format": report.format,
        "recognised": report.recognised,
        "columns": [[storable(name), means] for name, means in report.columns.items()],
        "first_values": {
            storable(name): storable(value)[:EXAMPLE_CHARS]
            for name, value in report.first_values.items()
        },
        "rows": report.rows,
        "judgements": receipt.judgements,
        "items": receipt.items,
        "annotators": receipt.annotators,
        "new_items": receipt.new_items,
        "counts": [asdict(count) | {"n": count.n} for count in receipt.counts],
        "left_out": dict(report.left_out),
        "models": {storable(name)[:EXAMPLE_CHARS]: count for name, count in models},
        "errors": faults_as_json(report.errors),
        "error_count": report.error_count,
        "warnings": faults_as_json(report.warnings),
        "examples": [_example(said) for said in report.examples],
    }


def _example(said: Said) -> dict[str, Any]:
    whole: Mapping[str, Any] = asdict(said)
    return {
        field: storable(value)[:EXAMPLE_CHARS] if isinstance(value, str) else value
        for field, value in whole.items()
        if field in SHOWN_FIELDS
    }
