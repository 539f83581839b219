"""The report as text, for people in a terminal."""

from collections.abc import Iterator
from typing import Any

from evals.reporting.annotators import in_seconds
from evals.reporting.compared import p_words
from evals.reporting.numbers import from_json, shown
from evals.stats.estimates import Estimate
from evals.stats.wording import about, counted, percent

COEFFICIENTS = (
    ("Krippendorff's alpha, nominal", ("krippendorff_alpha", "nominal")),
    ("Krippendorff's alpha, ordinal", ("krippendorff_alpha", "ordinal")),
    ("Fleiss' kappa", ("fleiss_kappa",)),
    ("Gwet's AC1", ("gwet_ac1",)),
)


def report_in_words(found: dict[str, Any]) -> str:
    """All numbers of a report, one a line, each with its interval and n."""
    return "\n".join(_lines(found))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    progress, preference = found["progress"], found["preference"]
    yield f"Study {found['study']}"
    yield (
        f"  {progress['judged']:,} of {progress['tasks']:,} judgements made, "
        f"{counted(progress['items'], 'items')}, {counted(progress['annotators'], 'annotators')}"
    )
    if "imported" in progress:
        yield f"  {_elsewhere(progress['imported'], progress['judgements'])}"
    yield ""
    yield "Preference"
    yield (
        f"  candidate {preference['wins']:,}, tie {preference['ties']:,}, "
        f"both bad {preference['both_bad']:,}, baseline {preference['losses']:,}"
    )
    yield _line("Win rate, ties half", preference["win_rate"])
    yield _line("Win rate, decided only", preference["win_rate_decided"])
    yield from _tests(preference["tests"])
    yield _line("Mean strength, -1 to 1", preference["strength"], "strength")
    yield _line("Both bad", preference["both_bad_rate"])
    yield from _position(preference)
    yield from _length(preference["length"])
    yield from _watching(preference)
    for title, part in (("criterion", "by_criterion"), ("category", "by_category")):
        if preference[part]:
            yield f"  By {title}"
        for name, rate in preference[part].items():
            yield "  " + _line(name or "(no category)", rate)
    yield ""
    yield "Agreement"
    yield from _agreement(found["agreement"])
    yield from _parts_of_agreement(found["agreement"])
    yield from _paces(found["agreement"]["annotators"])
    yield from _repeats(found.get("repeats"))


def _parts_of_agreement(found: dict[str, Any]) -> Iterator[str]:
    for name, one in found["by_criterion"].items():
        yield f"  {name}"
        yield from ("  " + line for line in _agreement(one))
        yield "  " + _line("Cohen's kappa, pooled", one["pooled_kappa"], "coefficient", "items")
    if found["pairs"]:
        yield "  Cohen's kappa of each pair"
    for pair in found["pairs"]:
        names = " and ".join(pair["annotators"])
        yield "  " + _line(names, pair["cohen_kappa"], "coefficient", "items")


def _paces(found: list[dict[str, Any]]) -> Iterator[str]:
    """The median time of each annotator who was timed, one a line."""
    timed = [(one["annotator"], from_json(one["median_seconds"])) for one in found]
    paces = [(who, time) for who, time in timed if isinstance(time, Estimate)]
    if paces:
        yield ""
        yield "Median time at work on a judgement"
    for who, time in paces:
        number = in_seconds(time)
        interval = number.interval or f"({number.why})"
        yield f"  {who}: {number.value}  {interval}  {counted(time.n, 'judgements')}"


def _position(found: dict[str, Any]) -> Iterator[str]:
    position = found["position"]
    yield _line("Left chosen", found["left_share"])
    how = "ties half" if position["ties"] == "half" else "decided only"
    for side in ("left", "right"):
        yield _line(f"Win rate, candidate {side}, {how}", position[f"win_rate_candidate_{side}"])
    yield _line("  left minus right", position["difference"], "points")


def _length(found: dict[str, Any]) -> Iterator[str]:
    yield _line("Longer chosen", found["longer_wins"], word="decided judgements")
    equal = found["win_rate_equal_length"]
    yield _line("Win rate at equal length, decided only", equal, word="decided judgements")


def _watching(found: dict[str, Any]) -> Iterator[str]:
    watching, planning = found["watching"], found["planning"]
    yield _line("Mean of items, looking once", watching["looking_once"], word="items")
    yield _line("Mean of items, looking every day", watching["looking_always"], word="items")
    bar, more = percent(planning["threshold"]), planning["more_judgements"]
    if more["value"] is None:
        yield f"  To settle {bar}: how many more judgements cannot be foretold: {more['reason']}"
    elif more["value"]:
        yield f"  To settle {bar}: {about(more['value'])} more judgements"
    least = planning["detectable_win_rate"]
    if least["value"] is not None:
        yield (
            f"  Could show more than {bar} with a chance of {percent(least['power'], 0)} if "
            f"{percent(least['value'])} or more were true"
        )


def _repeats(found: dict[str, Any] | None) -> Iterator[str]:
    if found is None:
        return
    yield ""
    yield "Asked again with the sides exchanged, counted nowhere else"
    for title, key in (
        ("Same answer", "same_answer"),
        ("Same point of the scale", "same_point"),
        ("Side kept, system changed", "kept_side"),
        ("Left, of sides kept", "left_of_kept"),
    ):
        yield _line(title, found[key], "share", "repeats")
    for one in found["annotators"]:
        yield "  " + _line(
            f"{one['annotator']}, same answer", one["same_answer"], "share", "repeats"
        )


def _tests(found: dict[str, Any]) -> Iterator[str]:
    """The tests of the win rate that the policy counts, one a line."""
    counted_how = "ties half" if found["ties"] == "half" else "decided only"
    for key in ("half", "gate"):
        for one in found.get(key, {}).values():
            against = f"  Against {percent(one['null'])}, {counted_how}: "
            if one["p_value"] is not None:
                yield f"{against}p {p_words(one['p_value'])}  {one['method']}"
            elif one is found[key]["clustered"]:
                yield f"{against}no test ({one['reason']})"


def _elsewhere(imported: int, judgements: int) -> str:
    which = "All" if imported == judgements else f"{imported:,}"
    return (
        f"{which} of the {counted(judgements, 'judgements')} counted below were made elsewhere, "
        "perhaps not blind (--only blind leaves them out)"
    )


def _agreement(found: dict[str, Any]) -> Iterator[str]:
    yield _line("Agreeing pairs", found["percent"], "share", "items")
    for title, path in COEFFICIENTS:
        part: Any = found
        for key in path:
            part = part[key]
        yield _line(title, part, "coefficient", "items")


def _line(
    title: str, estimate: dict[str, Any], unit: str = "share", word: str = "judgements"
) -> str:
    number = shown(from_json(estimate), unit, word)
    facts = "  ".join(part for part in (number.value, number.interval, number.n) if part)
    return f"  {title}: {facts}" + (f" ({number.why})" if number.why else "")
