"""Which column is taken for what: names, aliases, the user's mapping, and what is missing."""

from collections.abc import Collection, Mapping

from annotate.parsing.contract import FIELDS, IGNORE, METADATA, Fault, Limits, Options, Record
from annotate.parsing.faults import MAX_ERRORS, FaultLog, HaltError, shown
from annotate.parsing.hazards import refused

BASELINE = {"baseline_output", "output_a", "model_a_output"}
CANDIDATE = {"candidate_output", "output_b", "model_b_output"}
SHARED_NAMES = {
    "item_id": "item_id",
    "id": "item_id",
    "prompt": "prompt",
    "instruction": "prompt",
    "category": "category",
    "reference": "reference",
}
# Taken for the prompt only where nothing else is: many logs keep both.
CONVERSATION = "messages"
PAIR_NAMES = {
    **SHARED_NAMES,
    **dict.fromkeys(BASELINE, "baseline_output"),
    **dict.fromkeys(CANDIDATE, "candidate_output"),
}
BASELINE_NAMES = {
    **SHARED_NAMES,
    **dict.fromkeys(BASELINE | {"output"}, "baseline_output"),
}
CANDIDATE_NAMES = {
    **SHARED_NAMES,
    **dict.fromkeys(CANDIDATE | {"output"}, "candidate_output"),
}
OUTPUTS = ("baseline_output", "candidate_output")
COUNTERPARTS = (
    ("output_a", "output_b"),
    ("model_a_output", "model_b_output"),
    ("baseline_output", "candidate_output"),
)
COLUMNS_NAMED = 12


def normalised(name: str) -> str:
    return name.strip().casefold()


class Columns:
    """Roles of one file's columns, learned as they are met.

    `side` is None for a file of pairs; for one of two files it is the output field it brings.
    """

    def __init__(
        self,
        options: Options,
        limits: Limits,
        log: FaultLog,
        file: str = "",
        side: str | None = None,
    ) -> None:
        self.roles: dict[str, str] = {}
        self.required: tuple[str, ...] = ("prompt", side) if side else ("prompt", *OUTPUTS)
        self._names = _names_for(side)
        self._side = side
        self._limits = limits
        self._log = log
        self._file = file
        self._mapping = self._checked(options.mapping)
        self._cures = options.cures
        self._lacking: dict[str, list[tuple[int, int]]] = {}
        self._first_seen: dict[str, tuple[int | None, int]] = {}
        self._conflicts: set[tuple[str, str]] = set()

    def _checked(self, mapping: Mapping[str, str]) -> dict[str, str]:
        """The mapping by normalised column name, without what makes no sense."""
        kept: dict[str, str] = {}
        for column, field in mapping.items():
            if field in (*FIELDS, METADATA, IGNORE):
                kept[normalised(column)] = self._own(field)
            elif self._side != OUTPUTS[1]:
                # Of two files only the first says so.
                self._log.error(
                    "unknown_column_mapping",
                    f"no field is called {shown(field)}. Fields: {', '.join(FIELDS)}, "
                    f"{METADATA}, {IGNORE}.",
                    column=column,
                    file=self._file,
                )
        return kept

    def _own(self, field: str) -> str:
        """With one file for each system, either output field means the output of this file."""
        return self._side if self._side and field in OUTPUTS else field

    def learn_header(self, names: list[str], line: int) -> None:
        """Take a header; faults in it are logged."""
        first: dict[str, str] = {}
        for name in names:
            key = normalised(name)
            if key in first:
                self._error(
                    "duplicate_column", f"two columns have this name. {_RENAME}", line, name
                )
                continue
            first[key] = name
            self._learn(name, None, line, names)
        by_field: dict[str, str] = {}
        for name, role in self.roles.items():
            if role in FIELDS and by_field.setdefault(role, name) != name:
                self.conflict(by_field[role], name, role, None, line)

    def learn(self, record: Record) -> None:
        """Take the columns that `record` is the first to have."""
        for name in record.values:
            if name not in self.roles:
                self._learn(name, record.row, record.line, record.values)

    def _learn(self, name: str, row: int | None, line: int, beside: Collection[str] = ()) -> None:
        key = normalised(name)
        chosen = self._mapping.get(key)
        role = chosen or self._recognised(key, beside)
        if role in FIELDS:
            role = self._settle(role, chosen is not None)
        self.roles[name] = role
        self._first_seen[name] = (row, line)
        self._check_name(name, row, line)
        self._release(role)

    def _recognised(self, key: str, beside: Collection[str]) -> str:
        """What a column is by its name, `beside` being the names in the same record."""
        if key == CONVERSATION:
            known = {*map(normalised, beside), *map(normalised, self.roles)} - {key}
            return METADATA if any(self._names.get(one) == "prompt" for one in known) else "prompt"
        return self._names.get(key, METADATA)

    def _settle(self, field: str, chosen: bool) -> str:
        """What a column chosen for `field`, or only recognised as it, is beside the others.

        A choice turns columns that were only recognised into metadata.
        """
        holders = [name for name, role in self.roles.items() if role == field]
        recognised = [name for name in holders if normalised(name) not in self._mapping]
        if chosen:
            self.roles.update(dict.fromkeys(recognised, METADATA))
        return METADATA if not chosen and len(recognised) < len(holders) else field

    def _check_name(self, name: str, row: int | None, line: int) -> None:
        limit = self._limits.max_header_chars
        if len(name) > limit:
            text = f"the name is longer than {limit} characters. Shorten it."
            self._error("cell_too_long", text, line, name[:1000], row)
        bad = refused(name)
        if bad:
            self._error(*refusal(bad, row is None), line, name[:1000], row)
        if len(self.roles) > self._limits.max_columns:
            self._error(
                "too_many_columns",
                f"more than {self._limits.max_columns} different columns. Delete what is not "
                "needed.",
                line,
                None,
                row,
            )
            raise HaltError

    def conflict(self, first: str, second: str, role: str, row: int | None, line: int) -> None:
        """Two columns claim one field; told once for each pair."""
        if (first, second) in self._conflicts:
            return
        self._conflicts.add((first, second))
        text = f"{shown(first)} and {shown(second)} are both taken for {role}. {_RENAME}"
        self._error("duplicate_column", text, line, first, row)

    def lacks(self, field: str, record: Record) -> None:
        """`record` has no column for a required field.

        Whether the record or the whole file lacks it shows only when another record has it.
        """
        places = self._lacking.setdefault(field, [])
        if field in self.roles.values():
            self._missing_value(field, record.row, record.line)
        elif len(places) < MAX_ERRORS:
            places.append((record.row, record.line))

    def _release(self, field: str) -> None:
        """A record has `field` after all: those before it lacked it one by one."""
        for row, line in self._lacking.pop(field, []):
            self._missing_value(field, row, line)

    def _missing_value(self, field: str, row: int, line: int) -> None:
        self._error(
            "missing_value", "the record has no such key. Add it.", line, self.named(field), row
        )

    def named(self, field: str) -> str:
        """The column of `field`, as the file names it or would name it."""
        for name, role in self.roles.items():
            if role == field:
                return name
        known = {normalised(name) for name in self.roles}
        for pair in COUNTERPARTS:
            if field in OUTPUTS and known & set(pair):
                return pair[OUTPUTS.index(field)]
        return "output" if field == self._side else field

    def missing(self) -> list[str]:
        """Required fields that no column of the file is taken for."""
        taken = set(self.roles.values())
        return [field for field in self.required if field not in taken]

    def finish(self, hint: str = "") -> None:
        """Log what the columns lack as a whole, now that all of them are known."""
        if not self.roles:
            return
        line = next(iter(self._first_seen.values()))[1]
        for field in reversed(self.missing()):
            self._log.error(
                "missing_column",
                self._missing_text(hint),
                line=line,
                column=self.named(field),
                file=self._file,
                first=True,
            )
        self._warn_unknown()

    def unmet(self) -> set[str]:
        """Columns that the mapping names and the file does not have."""
        known = {normalised(name) for name in self.roles}
        return {column for column in self._mapping if column not in known} if known else set()

    def refuse_unmet(self, columns: set[str]) -> None:
        for column in sorted(columns):
            text = f"the mapping names a column that is not there. {self._found()}"
            self._error("unknown_column_mapping", text, None, column)

    def _missing_text(self, hint: str) -> str:
        cure = hint or f"Rename a column, or {self._cures.mapping}."
        return f"no such column. {self._found()} {cure}"

    def _found(self) -> str:
        names = [shown(name, 40) for name in list(self.roles)[:COLUMNS_NAMED]]
        more = len(self.roles) - len(names)
        return f"Columns: {', '.join(names)}" + (f" and {more} more." if more else ".")

    def _warn_unknown(self) -> None:
        unknown = [
            name
            for name, role in self.roles.items()
            if role == METADATA and normalised(name) not in self._mapping
        ]
        if unknown:
            row, line = self._first_seen[unknown[0]]
            names = ", ".join(shown(name, 40) for name in unknown[:COLUMNS_NAMED])
            more = f" and {len(unknown) - COLUMNS_NAMED} more" * (len(unknown) > COLUMNS_NAMED)
            start = f"{self._file}, line {line}" if self._file else f"Line {line}"
            text = (
                f"{start}: not recognised and kept as metadata that annotators never see: "
                f"{names}{more}. Map them if they are something else."
            )
            self._log.remark(Fault("unknown_column", text, row, line, unknown[0]))

    def _error(
        self, code: str, text: str, line: int | None, column: str | None, row: int | None = None
    ) -> None:
        self._log.error(code, text, row=row, line=line, column=column, file=self._file)


_RENAME = "Rename one, or choose what each is."


def _names_for(side: str | None) -> dict[str, str]:
    if side is None:
        return PAIR_NAMES
    return BASELINE_NAMES if side == "baseline_output" else CANDIDATE_NAMES


def refusal(character: str, raw: bool) -> tuple[str, str]:
    """Code and text for a character that cannot be stored.

    `raw`: no JSON escape can have made it, so a surrogate stands for a byte that is not UTF-8.
    """
    if character == "\x00":
        return "nul_character", "holds a NUL character, which cannot be stored. Remove it."
    if raw:
        return "not_utf8", "holds bytes that are not UTF-8. Save the file as UTF-8 and try again."
    return "lone_surrogate", "holds half of a character (a lone surrogate). Write it whole."
