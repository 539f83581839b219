"""What the columns of a table mean: by their names, or as somebody said."""

from collections.abc import Iterable, Mapping, Sequence

from annotate.parsing.faults import shown
from annotate.parsing.judgements.contract import FIELDS, IGNORE, Asked
from annotate.parsing.judgements.notes import Notes
from annotate.parsing.judgements.words import normalised

# Of several columns that may be a field the first one named here is it.
NAMES: Mapping[str, Sequence[str]] = {
    "item_id": ("item_id", "id", "item", "question_id", "prompt_id", "case_id", "external_id"),
    "batch": ("batch", "batch_number", "batch_name"),
    "prompt": ("prompt", "instruction", "question"),
    "baseline_output": ("baseline_output", "output_a", "response_a", "output_1"),
    "candidate_output": ("candidate_output", "output_b", "response_b", "output_2"),
    "category": ("category",),
    "annotator": (
        "annotator",
        "annotator_id",
        "annotator_email",
        "rater",
        "rater_id",
        "judge",
        "user",
        "user_id",
        "worker_id",
        "completed_by",
        "email",
    ),
    "preference": ("preference", "preferred", "winner", "verdict", "overall", "vote", "pairwise"),
    "strength": ("strength",),
    "scale": ("scale",),
    "candidate_side": ("candidate_side",),
    "seconds": ("seconds", "duration", "duration_seconds", "time_seconds", "lead_time"),
    "judged_at": ("judged_at", "created_at", "submitted_at", "timestamp"),
    "comment": ("comment", "comments", "rationale", "reason", "notes"),
}
# What our own export of judgements has beside these.
OWN_EXPORT = {"judgement", "task_state", "current", "version"}
OWN_IGNORED = (*OWN_EXPORT, "slot", "choice", "source", "active_ms", "repeat")
NAMED_AT_MOST = 12


class Columns:
    """The fields and criteria that the columns of one file hold."""

    def __init__(self, names: Iterable[str], mapping: Mapping[str, str], asked: Sequence[Asked]):
        self.names = [name for name in names if name]
        self.by_field: dict[str, str] = {}
        self.roles: dict[str, str] = {}
        self._asked = asked
        self._mapping = mapping
        known = {normalised(name): name for name in reversed(self.names)}
        self.is_own_export = known.keys() >= OWN_EXPORT
        for column, role in mapping.items():
            if name := known.get(normalised(column)):
                self._give(name, role)
        for field, spellings in NAMES.items():
            self._find(field, (known.get(spelling) for spelling in spellings))
        for role, spellings in self._criteria().items():
            self._find(role, (known.get(spelling) for spelling in spellings))

    def _find(self, role: str, candidates: Iterable[str | None]) -> None:
        if role in self.by_field:
            return
        for name in candidates:
            if name is not None and name not in self.roles:
                self._give(name, role)
                return

    def _give(self, name: str, role: str) -> None:
        self.roles[name] = role
        if role not in (IGNORE, "votes"):
            self.by_field[role] = name

    def _criteria(self) -> dict[str, list[str]]:
        """What the columns of each criterion may be called: its key or its name."""
        found: dict[str, list[str]] = {}
        for asked in self._asked:
            starts = [normalised(asked.key), normalised(asked.name)]
            if asked.kind == "score":
                for system in ("baseline", "candidate"):
                    found[f"{asked.key}_{system}"] = [
                        spelled
                        for start in starts
                        for spelled in (f"{start}_{system}", f"{system}_{start}")
                    ]
            else:
                found[asked.key] = starts
        return found

    @property
    def criterion_roles(self) -> set[str]:
        return set(self._criteria())

    @property
    def unknown(self) -> list[str]:
        """Columns that are nothing so far."""
        ignored = OWN_IGNORED if self.is_own_export else ()
        return [n for n in self.names if n not in self.roles and normalised(n) not in ignored]

    def named(self, field: str) -> str:
        return self.by_field.get(field, field)

    def check(self, notes: Notes) -> None:
        """Refuse columns that come twice and mappings that make no sense."""
        seen: set[str] = set()
        for name in self.names:
            if name in seen:
                text = f"two columns are called {shown(name, 40)}. Rename one."
                notes.of_file("duplicate_column", text, name)
            seen.add(name)
        known = {normalised(name) for name in self.names}
        allowed = (*FIELDS, IGNORE, *sorted(self.criterion_roles))
        taken: dict[str, str] = {}
        for column, role in self._mapping.items():
            if normalised(column) not in known:
                text = f"the mapping names a column that is not there. {self.listed()}"
                notes.of_file("unknown_column_mapping", text, column)
            if role not in allowed:
                text = f"{shown(role, 40)} is nothing a column can be. Write {', '.join(allowed)}."
                notes.of_file("unknown_field", text, column)
            elif role not in (IGNORE, "votes") and taken.setdefault(role, column) != column:
                text = f"{role} is {shown(taken[role], 40)} already. Choose one of them."
                notes.of_file("field_twice", text, column)

    def listed(self) -> str:
        """ "Columns: 'a', 'b' and 3 more." """
        names = ", ".join(shown(name, 40) for name in self.names[:NAMED_AT_MOST])
        more = len(self.names) - NAMED_AT_MOST
        return f"Columns: {names}" + (f" and {more} more." if more > 0 else ".")
