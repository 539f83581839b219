"""What is worth knowing about the accepted rows: lengths, categories, and what looks odd."""

from array import array
from collections.abc import Callable, Sequence

from annotate.parsing.contract import Fault, Report, Row
from annotate.parsing.excerpts import Concern, excerpt, last_words
from annotate.parsing.faults import FaultLog
from annotate.parsing.identification import named_at, names_a_model
from annotate.parsing.keyindex import KeyIndex

MAX_CATEGORIES = 1000
# Line and row share one number in the indexes: 40 and 24 bits.
ROW_BITS = 24
OTHER_CATEGORIES = "…"
EXAMPLES = 5
# Below this many rows a difference of length is chance; above it, this ratio is not.
ROWS_FOR_LENGTHS = 20
MUCH_LONGER = 1.5
# Short answers end as they like; a long one rarely ends on a letter or a comma.
LONG_TEXT = 400


class Observer:
    """Looks at every row once and keeps a few bytes of each."""

    def __init__(self, report: Report, log: FaultLog, named: Callable[[str], str]) -> None:
        self._report = report
        self._log = log
        self._named = named
        self._contents = KeyIndex()
        self._prompts = KeyIndex()
        self._lengths = (array("I"), array("I"))
        self._longer = 0

    def row(self, row: Row) -> None:
        self._count(row)
        self._repeats(row)
        self._outputs(row)
        self._names(row)

    def _count(self, row: Row) -> None:
        report = self._report
        if len(report.examples) < EXAMPLES:
            report.examples.append(row)
        known = report.categories
        name = row.category
        if name not in known and len(known) >= MAX_CATEGORIES:
            name = OTHER_CATEGORIES
        if name not in known and name and names_a_model(name):
            self._warn("category_names_a_model", row, "category", [("category", name)])
        known[name] = known.get(name, 0) + 1
        baseline, candidate = len(row.baseline_output), len(row.candidate_output)
        self._lengths[0].append(baseline)
        self._lengths[1].append(candidate)
        self._longer += candidate > baseline

    def _repeats(self, row: Row) -> None:
        here = row.line << ROW_BITS | row.row
        first = self._prompts.first(here, row.prompt)
        same = self._contents.first(here, row.prompt, row.baseline_output, row.candidate_output)
        if first == here:
            return
        code, there = ("duplicate_prompt", first) if same == here else ("duplicate_content", same)
        texts = [("prompt", row.prompt)]
        self._warn(code, row, "prompt", texts, repeats=there >> ROW_BITS)

    def _outputs(self, row: Row) -> None:
        if row.baseline_output == row.candidate_output:
            texts = [("prompt", row.prompt), ("candidate_output", row.candidate_output)]
            self._warn("identical_outputs", row, "candidate_output", texts)
        for field, text in _outputs_of(row):
            if not text or text.isspace():
                self._warn("empty_output", row, field, [("prompt", row.prompt), (field, text)])
            elif _cut_off(text):
                self._warn("looks_cut_off", row, field, [(field, last_words(text))])

    def _names(self, row: Row) -> None:
        if row.item_id is not None and names_a_model(row.item_id):
            self._warn("id_names_a_model", row, "item_id", [("item_id", row.item_id)])
        if names_a_model(f"{row.baseline_output}\n{row.candidate_output}"):
            places = [(field, text, named_at(text)) for field, text in _outputs_of(row)]
            texts = [(field, excerpt(text, at)) for field, text, at in places if at is not None]
            column = texts[0][0] if texts else "candidate_output"
            self._warn("self_identification", row, column, texts)

    def _warn(
        self,
        code: str,
        row: Row,
        field: str,
        texts: Sequence[tuple[str, str]],
        repeats: int | None = None,
    ) -> None:
        def concern() -> Concern:
            cut = [(name, excerpt(text)) for name, text in texts]
            return Concern(row.line, row.row, row.item_id or "", cut, repeats)

        column = self._named(field)
        self._log.warn(code, row=row.row, line=row.line, column=column, concern=concern)

    def finish(self) -> None:
        """Put the lengths into the report, and say so if one side is much longer."""
        n = len(self._lengths[0])
        if n == 0:
            return
        baseline, candidate = (_mean_and_median(lengths) for lengths in self._lengths)
        self._report.lengths = {
            "baseline_mean": baseline[0],
            "baseline_median": baseline[1],
            "candidate_mean": candidate[0],
            "candidate_median": candidate[1],
            "candidate_longer_share": self._longer / n,
        }
        low, high = sorted((baseline[0], candidate[0]))
        if n >= ROWS_FOR_LENGTHS and high > MUCH_LONGER * low:
            longer = "candidate" if candidate[0] > baseline[0] else "baseline"
            text = (
                f"The {longer}'s outputs are much longer: {candidate[0]:,.0f} characters on "
                f"average for the candidate, {baseline[0]:,.0f} for the baseline. People tend to "
                "prefer the longer one; read the result at equal length too."
            )
            self._log.remark(Fault("length_imbalance", text))


def _outputs_of(row: Row) -> tuple[tuple[str, str], tuple[str, str]]:
    return (
        ("baseline_output", row.baseline_output),
        ("candidate_output", row.candidate_output),
    )


def _cut_off(text: str) -> bool:
    if len(text) < LONG_TEXT:
        return False
    return text[-1].islower() or text[-1] in ",;(" or text.count("```") % 2 == 1


def _mean_and_median(lengths: "array[int]") -> tuple[float, float]:
    ordered = sorted(lengths)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else sum(ordered[middle - 1 : middle + 1]) / 2
    return sum(ordered) / len(ordered), float(median)
