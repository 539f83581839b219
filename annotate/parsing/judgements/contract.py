"""What goes into the reading of judgements and what comes out: plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from annotate.parsing.contract import Fault

# What a column can be, beside the criteria of the study.
FIELDS = (
    "item_id",
    "batch",
    "prompt",
    "baseline_output",
    "candidate_output",
    "category",
    "annotator",
    "preference",
    "strength",
    "scale",
    "candidate_side",
    "seconds",
    "judged_at",
    "comment",
    "votes",
)
IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Asked:
    """A criterion of the study: `kind` is "comparative" or "score"."""

    key: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class JudgementOptions:
    """What the person who brings a file has chosen.

    Attributes
    ----------
    mapping : mapping
        Column (or question of a tool) to one of `FIELDS`, "ignore", or a criterion: KEY, or
        KEY_baseline and KEY_candidate where both are scored.
    left : str
        "baseline" or "candidate": what stood on the left, where a file says left and right.
    baseline, candidate : str
        What the file calls the two systems, where it compares several.
    annotator : str
        Who judged, where the file does not say.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    left: str = ""
    baseline: str = ""
    candidate: str = ""
    annotator: str = ""


@dataclass(frozen=True, slots=True)
class Study:
    """What a reading has to know of the study."""

    baseline: str
    candidate: str
    criteria: Sequence[Asked] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """What one person said of one item.

    Attributes
    ----------
    item_id, alternative : str
        Under what ids the item may be known; both empty where only its texts are.
    strength : int
        From -3 (baseline much better) to 3 (candidate much better).
    side : str or None
        Where the candidate stood, "left" or "right"; None where nobody knows.
    comparisons, scores : mapping
        By key of the criterion: -1 to 1, and (baseline, candidate) from 1 to 5.
    """

    row: int
    line: int
    annotator: str
    strength: int
    both_bad: bool = False
    item_id: str = ""
    alternative: str = ""
    batch: str = ""
    prompt: str | None = None
    baseline_output: str | None = None
    candidate_output: str | None = None
    category: str = ""
    side: str | None = None
    scale: int | None = None
    seconds: float | None = None
    judged_at: datetime | None = None
    comment: str = ""
    comparisons: Mapping[str, int] = field(default_factory=dict)
    scores: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def has_texts(self) -> bool:
        """Whether the file brings the item whole."""
        return None not in (self.prompt, self.baseline_output, self.candidate_output)


@dataclass
class JudgementReport:
    """What a reading found. Complete once the reading is exhausted.

    Attributes
    ----------
    recognised : str
        What the file was taken for, in words.
    left_out : dict
        Rows that are no judgements of this study, by reason.
    models : dict
        Systems that the file compares, with their number of rows, where it names them.
    """

    format: str = ""
    recognised: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    judgements: int = 0
    errors: list[Fault] = field(default_factory=list)
    error_count: int = 0
    warnings: list[Fault] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    models: dict[str, int] = field(default_factory=dict)
    examples: list[Said] = field(default_factory=list)
    first_values: dict[str, str] = field(default_factory=dict)
    # Whether a second judgement of one person on one item is a fault, or is passed over.
    repeats_are_faults: bool = True

    @property
    def accepted(self) -> bool:
        return self.error_count == 0 and self.judgements > 0
