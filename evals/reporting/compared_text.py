"""A comparison as text for a terminal of 80 columns."""

import textwrap
from collections.abc import Iterator, Sequence

from evals.comparing import Comparison, Group, ScorerGroups
from evals.queries.compared_cases import CaseRow
from evals.reporting import compared, output_lengths
from evals.reporting.numbers import DASH, Shown, level
from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined

WIDTH = 80
NAME = 20
SPLITS = {"target": "Target", "general": "General"}
TOKENS = {"prompt": "tokens in", "generated": "tokens out"}
# (title, width) of the columns beside a name.
RATES = (("n", 5), ("candidate", 18), ("baseline", 18), ("points", 19))
OUTCOMES = (("n", 5), ("won", 14), ("tied", 14), ("lost", 14), ("p", 13))
VALUES = (("n", 5), ("higher", 14), ("equal", 14), ("lower", 14), ("mean change", 13))
LENGTHS = (("n", 6), ("candidate", 27), ("baseline", 27))
TIMES = (("candidate", 21), ("baseline", 21), ("times", 20))


def comparison_in_words(
    found: Comparison, lost: Sequence[CaseRow] = (), won: Sequence[CaseRow] = ()
) -> str:
    """All tables of a comparison, each number with its interval and n.

    Parameters
    ----------
    lost, won : sequence of CaseRow
        Cases that changed, to be told by their ids.
    """
    return "\n".join(line.rstrip() for line in _lines(found, lost, won))


def _lines(found: Comparison, lost: Sequence[CaseRow], won: Sequence[CaseRow]) -> Iterator[str]:
    yield from _head(found)
    yield from _rates(found)
    yield from _outcomes(found)
    yield from _regression(found)
    yield from _changed(lost, won, found.overall)
    yield from _scorers(found.scorers)
    yield from _lengths(found)
    yield from _latency(found)
    yield from _answers(found)


def _wrapped(text: str, indent: int = 0) -> list[str]:
    room = " " * indent
    return textwrap.wrap(
        text, WIDTH, initial_indent=room, subsequent_indent=room, break_on_hyphens=False
    )


def _cells(columns: Sequence[tuple[str, int]], values: Sequence[str]) -> str:
    return "".join(value.rjust(width) for (_, width), value in zip(columns, values, strict=True))


def _title(title: str, columns: Sequence[tuple[str, int]]) -> str:
    """The names of the columns, the last one ending at the edge."""
    width = sum(width for _, width in columns)
    return title.ljust(WIDTH - width) + _cells(columns, [name for name, _ in columns])


def _row(name: str, rest: str, indent: int = 2, room: int = NAME) -> Iterator[str]:
    """A name and its numbers; a name without room stands on a line of its own."""
    if len(name) + indent < room:
        yield (" " * indent + name).ljust(room) + rest
    else:
        yield from _wrapped(name, indent)
        yield " " * room + rest


def _head(found: Comparison) -> Iterator[str]:
    pair = found.pair
    yield from _wrapped(compared.finding(found))
    yield ""
    yield f"Suite      {pair.suite}, {compared.cases(pair.suite.case_count)}"
    for title, run in (("Candidate", pair.candidate), ("Baseline", pair.baseline)):
        yield f"{title:<11}{compared.run_words(run)}, {compared.ended_words(run)}"
    for line in compared.staleness(pair):
        yield from _wrapped(f"Note: {line}")


def _rates(found: Comparison) -> Iterator[str]:
    if not found.overall.n:
        yield from _no_marks(found)
        return
    yield ""
    yield _title("Pass rate", RATES)
    for name, indent, group in _groups(found):
        if not group.n:
            yield from _row(name, f"{0:>5}  {_why(group)}", indent)
            continue
        values = (wording.count(group.n), _rate(group.candidate), _rate(group.baseline))
        yield from _row(name, _cells(RATES, (*values, _points(group.difference))), indent)
    yield from _unscored(found)
    if least := compared.least_words(found.overall):
        yield from _wrapped(least, 2)
    yield from _wrapped(
        f"Intervals at {level(found.confidence)}: Clopper-Pearson for rates, Newcombe for paired "
        "differences. Errors count as failed.", 2,
    )  # fmt: skip


def _no_marks(found: Comparison) -> Iterator[str]:
    """Where no case passes or fails: who could say which answers are better."""
    yield ""
    yield from _unscored(found)
    for words, command in compared.other_judges(found.pair):
        yield from _wrapped(f"{words}:", 2)
        yield f"    {command}"


def _groups(found: Comparison) -> Iterator[tuple[str, int, Group]]:
    """All cases, each split where there are two, and their categories."""
    only = found.splits[0].split if len(found.splits) == 1 else ""
    yield f"All, {only}" if only else "All", 2, found.overall
    for split in found.splits:
        if not only:
            yield SPLITS[split.split], 2, split
        for group in found.categories:
            if group.split == split.split:
                yield compared.category_name(group.category), 4, group


def _unscored(found: Comparison) -> Iterator[str]:
    count = found.overall.cell.unscored
    if not count:
        return
    yield from _wrapped(
        f"Not in these numbers: {compared.cases(count)} without a score that passes or fails.", 2
    )
    for reason, times in found.unscored_reasons:
        yield from _wrapped(f"{compared.cases(times)}: {reason}", 4)


def _why(group: Group) -> str:
    return group.candidate.reason if isinstance(group.candidate, Undefined) else ""


def _rate(found: Estimate | Undefined) -> str:
    """ "86.7 % (70 to 95)"."""
    if isinstance(found, Undefined) or found.low is None or found.high is None:
        return DASH
    low, high = (wording.percent_number(end, 0) for end in (found.low, found.high))
    return f"{wording.percent(found.value, _digits(found.value))} ({low} to {high})"


def _points(found: Estimate | Undefined) -> str:
    """ "+6.7 (−8 to +21)"."""
    if isinstance(found, Undefined) or found.low is None or found.high is None:
        return DASH
    low, high = (wording.points_number(end, 0) for end in (found.low, found.high))
    return f"{wording.points_number(found.value, _digits(found.value))} ({low} to {high})"


def _digits(share: float) -> int:
    """None for whole percents, else one."""
    return 0 if abs(100 * share - round(100 * share)) < 1e-9 else 1


def _outcomes(found: Comparison) -> Iterator[str]:
    whole = found.overall
    if not whole.n:
        return
    yield ""
    yield _title("Win, tie, loss", OUTCOMES)
    for name, indent, group in _groups(found):
        if group.n:
            cell = group.cell
            counts = (cell.won, cell.both + cell.neither, cell.lost)
            shares = [_of(count, group.n) for count in counts]
            values = (wording.count(group.n), *shares, compared.p_words(group.p))
            yield from _row(name, _cells(OUTCOMES, values), indent)
    yield from _wrapped(
        f"Of all: won {_rate(whole.wins)}, tied {_rate(whole.ties)}, lost {_rate(whole.losses)}. "
        "Won: the candidate alone passes; lost: the baseline alone. p: exact McNemar test, "
        "two-sided.", 2,
    )  # fmt: skip
    if not isinstance(whole.detectable, Undefined):
        seen = wording.points(whole.detectable).removeprefix("+")
        yield from _wrapped(
            f"So many cases, differing so often, show a difference of {seen} with 80 % power.", 2
        )


def _of(count: int, n: int) -> str:
    return f"{wording.count(count)} ({wording.percent(count / n, 0)})"


def _regression(found: Comparison) -> Iterator[str]:
    if not found.regression:
        return
    yield ""
    yield f"Regression in general categories, {compared.loss_words(found.margin)} tolerated"
    for row in found.regression:
        status = row.status.upper() if row.status == "regressed" else row.status
        rest = f"{status:<20}{_points(row.group.difference):>20}{compared.cases(row.group.n):>19}"
        yield from _row(compared.category_name(row.name), rest)
        yield from _wrapped(compared.regression_words(row, found.margin), NAME)
    yield from _wrapped(
        "Regressed: the exact one-sided McNemar test, corrected by Holm over the categories, "
        "finds a loss, and it exceeds the tolerated one. Of suites on which both systems are "
        f"alike, at most {level(1 - found.confidence)} raise any alarm. No regression shown: the "
        "interval rules out a larger loss.", 2,
    )  # fmt: skip


def _changed(lost: Sequence[CaseRow], won: Sequence[CaseRow], whole: Group) -> Iterator[str]:
    for title, rows, count in (("Lost", lost, whole.cell.lost), ("Won", won, whole.cell.won)):
        if rows:
            more = count - len(rows)
            ids = ", ".join(row.case_id[:40] for row in rows)
            yield ""
            yield from _wrapped(f"{title}: {ids}" + (f" and {more:,} more" if more > 0 else ""))


def _scorers(scorers: Sequence[ScorerGroups]) -> Iterator[str]:
    told = [one for one in scorers if one.overall.n]
    if not told or (len(told) == 1 and told[0].is_plain):
        return
    yield ""
    yield _title("Scorers' values", VALUES)
    for one in told:
        yield from _scorer(one)
    yield from _wrapped(
        "The candidate's value against the baseline's on the same case. Mean change: mean of the "
        "differences, t interval.", 2,
    )  # fmt: skip


def _scorer(one: ScorerGroups) -> Iterator[str]:
    group, cell = one.overall, one.overall.cell
    higher, lower = (cell.wins, cell.losses)
    if not one.cells.higher_is_better:
        higher, lower = lower, higher
    shares = [_of(count, group.n) for count in (higher, cell.ties, lower)]
    change = group.difference
    mean = DASH if isinstance(change, Undefined) else wording.decimal(change.value, 3, sign=True)
    yield from _row(one.cells.name, _cells(VALUES, (wording.count(group.n), *shares, mean)))
    if isinstance(change, Estimate) and change.low is not None and change.high is not None:
        low, high = (wording.decimal(end, 3, sign=True) for end in (change.low, change.high))
        yield f"({low} to {high})".rjust(WIDTH)


def _lengths(found: Comparison) -> Iterator[str]:
    yield ""
    if not found.lengths.overall.n:
        yield from _wrapped(output_lengths.length_finding(found))
        return
    yield _title("Length, characters", LENGTHS)
    for name, indent, group in output_lengths.length_lines(found):
        sides = [
            f" {_plain(output_lengths.shown_characters(side))}"
            for side in (group.candidate, group.baseline)
        ]
        yield from _row(name, _cells(LENGTHS, (wording.count(group.n), *sides)), indent)
    longer = _plain(output_lengths.shown_characters(found.lengths.overall.difference, sign=True))
    for line in (
        output_lengths.length_finding(found),
        f"Mean paired difference: {longer} characters.",
        *output_lengths.not_counted(found),
        f"Means of the cases where both have a text, t intervals at {level(found.confidence)}. "
        "A diagnostic: no gate uses it.",
    ):
        yield from _wrapped(line, 2)


def _latency(found: Comparison) -> Iterator[str]:
    yield ""
    speed = found.speed
    if not sum(speed.n):
        yield "Latency: no request was measured."
        return
    yield _title("Latency", TIMES)
    counts = (wording.count(speed.n[1]), wording.count(speed.n[0]), "")
    yield from _timed("requests", counts)
    for row in speed.rows:
        sides = [_plain(compared.shown_time(side)) for side in (row.candidate, row.baseline)]
        yield from _timed(row.name, (*sides, _ratio(row.ratio)))
    for line in (compared.p99_words(found), compared.in_turns(found), compared.left_out(found)):
        yield from _wrapped(line, 2)


def _timed(name: str, values: Sequence[str]) -> Iterator[str]:
    columns = TIMES[: len(values)]
    room = WIDTH - sum(width for _, width in TIMES)
    yield from _row(name, _cells(columns, values), room=room)


def _plain(number: Shown) -> str:
    return f"{number.value} ({number.interval})" if number.interval else number.value


def _ratio(found: Estimate | Undefined) -> str:
    """ "1.10 (0.84 to 1.18)"."""
    if isinstance(found, Undefined) or found.low is None:
        return DASH
    bounds = wording.interval(found.low, found.high, "ratio")
    return f"{wording.decimal(found.value, 2)} ({bounds})"


def _answers(found: Comparison) -> Iterator[str]:
    yield ""
    yield "Answers".ljust(WIDTH - sum(width for _, width in TIMES)) + _cells(
        TIMES[:2], [name for name, _ in TIMES[:2]]
    )
    baseline, candidate = found.facts
    counts = {
        "errors": (candidate.errors, baseline.errors),
        "cut off": (candidate.truncated, baseline.truncated),
    }
    for name, sides in counts.items():
        yield from _timed(name, [wording.count(count) for count in sides])
    for row in found.tokens:
        told = [compared.shown_tokens(side) for side in (row.candidate, row.baseline)]
        if any(side.estimate for side in told):
            yield from _timed(TOKENS[row.name], [_plain(side) for side in told])
    for title, facts in (("Candidate", candidate), ("Baseline", baseline)):
        for kind, count, message in facts.error_kinds[:3]:
            line = " ".join(message.split())[:120]
            yield from _wrapped(f"{title}: {compared.cases(count)}, {kind}: {line}", 2)
