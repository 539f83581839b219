"""The commands `report` and `decide`: what scripts and CI systems rely on."""

import json
from errno import ENOSPC
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from django.core.management import CommandError, call_command
from scipy.stats import binomtest

from annotate.models import Judgement, Study, User
from evals import deciding, queries
from evals.gate import DEFAULT_GATES
from tests.evals.simulation import Leaning, gates, judge_slots, judged_study
from tests.factories import judge_next, make_batch, make_study, make_user

pytestmark = pytest.mark.django_db

ESTIMATE = {"value", "low", "high", "confidence", "n", "method"}
EXTRAS = {"se", "design_effect"}
ABSENT = {"value", "reason", "n"}


def run(*args: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    out, err = StringIO(), StringIO()
    try:
        call_command(*args, stdout=out, stderr=err)
    except SystemExit as stopped:
        return int(stopped.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def refuse_constant(name: str) -> float:
    raise AssertionError(f"{name} in JSON")


def answer(*args: str) -> dict[str, Any]:
    _, out, _ = run(*args, "--json")
    found: dict[str, Any] = json.loads(out, parse_constant=refuse_constant)
    return found


def assert_estimate(found: dict[str, Any]) -> None:
    if found["value"] is None:
        assert set(found) == ABSENT
        assert found["reason"]
    else:
        assert ESTIMATE <= set(found) <= ESTIMATE | EXTRAS


@pytest.fixture
def study() -> Study:
    return judged_study(items=30, annotators=4)


def test_the_report_has_every_key_of_the_contract(study: Study) -> None:
    found = answer("report", study.slug)

    assert set(found) == {"study", "progress", "preference", "agreement"}
    assert found["study"] == study.slug
    assert found["progress"] == {
        "items": 30, "tasks": 90, "judged": 90, "judgements": 90, "annotators": 4,
    }  # fmt: skip
    preference = found["preference"]
    assert set(preference) == {
        "wins", "ties", "losses", "both_bad", "win_rate", "win_rate_decided", "left_share",
        "length", "by_criterion", "by_category", "tests", "strength", "both_bad_rate",
        "position", "watching", "planning",
    }  # fmt: skip
    assert set(preference["by_criterion"]) == {"Correctness", "Helpfulness"}
    assert set(preference["by_category"]) == {"general", "billing"}
    agreement = found["agreement"]
    one = {"percent", "krippendorff_alpha", "fleiss_kappa", "gwet_ac1"}
    assert set(agreement) >= one | {"pairs", "by_criterion"}
    assert set(agreement["by_criterion"]["Correctness"]) == one | {"pairs", "pooled_kappa"}
    for part in (agreement, *agreement["by_criterion"].values()):
        assert set(part["krippendorff_alpha"]) == {"nominal", "ordinal"}


def test_every_estimate_has_its_interval_or_its_reason(study: Study) -> None:
    found = answer("report", study.slug)

    preference, agreement = found["preference"], found["agreement"]
    for name in ("win_rate", "win_rate_decided", "left_share", "both_bad_rate"):
        assert_estimate(preference[name])
    length = preference["length"]
    assert set(length) == {"longer_wins", "win_rate_equal_length", "slope", "overlap"}
    for name in ("longer_wins", "win_rate_equal_length", "slope"):
        assert_estimate(length[name])
    for part in ("by_criterion", "by_category"):
        for rate in preference[part].values():
            assert_estimate(rate)
    for pair in agreement["pairs"]:
        assert set(pair) >= {"annotators", "n", "percent", "cohen_kappa", "linear", "quadratic"}
        for name in ("percent", "cohen_kappa", "linear", "quadratic"):
            assert_estimate(pair[name])


def test_position_and_watching_have_intervals_or_reasons(study: Study) -> None:
    preference = answer("report", study.slug)["preference"]

    position, watching = preference["position"], preference["watching"]
    for name in ("win_rate_candidate_left", "win_rate_candidate_right", "difference"):
        assert_estimate(position[name])
    for one in position["left_share_by_annotator"]:
        assert_estimate(one["left_share"])
    for name in ("looking_once", "looking_always"):
        assert_estimate(watching[name])


TEST = {"null", "p_value", "n", "method", "statistic", "df"}


def test_win_rates_are_tested_by_the_terms_of_the_policy(study: Study, lena: User) -> None:
    deciding.change_policy(
        study,
        gates(human_preference=0.55),
        confidence=0.95,
        ties="decided",
        made_by=lena,
        reason="Agreed.",
    )

    found = answer("report", study.slug)["preference"]

    tests = found["tests"]
    assert set(tests) == {"ties", "win_rate", "half", "gate", "by_criterion", "by_category"}
    assert tests["ties"] == "decided"
    assert tests["win_rate"] == found["win_rate_decided"]
    for key, null in (("half", 0.5), ("gate", 0.55)):
        one = tests[key]["clustered"]
        assert set(one) == TEST
        assert one["null"] == null
        statistic = (found["win_rate_decided"]["value"] - null) / found["win_rate_decided"]["se"]
        assert one["statistic"] == pytest.approx(statistic)
        assert tests[key]["exact"] == {
            "null": null, "p_value": None, "n": 90, "reason": "an item has more than one judgement",
        }  # fmt: skip
    for part, rows in (("by_criterion", 2), ("by_category", 2)):
        assert set(tests[part]) == set(found[part])
        assert all(one["p_value"] <= one["p_holm"] for one in tests[part].values())
        assert {one["tests"] for one in tests[part].values()} == {rows}


def test_items_judged_once_have_an_exact_test() -> None:
    study = judged_study(items=30, annotators=4, scale=7, overlap=1)

    found = answer("report", study.slug)["preference"]

    wins, losses = found["wins"], found["losses"]
    exact = found["tests"]["half"]["exact"]
    assert exact["n"] == wins + losses
    assert exact["p_value"] == pytest.approx(binomtest(wins, wins + losses).pvalue)
    assert exact["mid_p"] < exact["p_value"]
    # Ties are half a win by this policy, and no exact test knows half a win.
    assert found["ties"]
    assert "half a win" in found["tests"]["gate"]["exact"]["reason"]


def test_mean_strength_is_that_of_the_choices(study: Study) -> None:
    choices = list(Judgement.objects.filter(study=study).values_list("preference", flat=True))

    found = answer("report", study.slug)["preference"]["strength"]

    assert_estimate(found)
    assert found["n"] == len(choices)
    assert found["value"] == pytest.approx(sum(choices) / 2 / len(choices))
    assert found["low"] < found["value"] < found["high"]


def test_a_scale_of_three_points_has_no_strength() -> None:
    found = answer("report", judged_study(items=6, scale=3).slug)["preference"]["strength"]

    assert found["value"] is None
    assert "scale of 3 points" in found["reason"]


def test_counts_add_up_and_pairs_are_named_by_address(study: Study) -> None:
    found = answer("report", study.slug)

    preference = found["preference"]
    outcomes = sum(preference[name] for name in ("wins", "ties", "losses", "both_bad"))
    assert outcomes == found["progress"]["judgements"]
    score = preference["wins"] + (preference["ties"] + preference["both_bad"]) / 2
    assert preference["win_rate"]["value"] == pytest.approx(score / outcomes)
    decided = preference["wins"] + preference["losses"]
    assert preference["win_rate_decided"]["value"] == pytest.approx(preference["wins"] / decided)
    assert preference["win_rate_decided"]["n"] == decided
    addresses = set(User.objects.values_list("email", flat=True))
    for pair in found["agreement"]["pairs"]:
        assert set(pair["annotators"]) <= addresses
        assert pair["annotators"] == sorted(pair["annotators"])
        assert pair["n"] == pair["percent"]["n"]


def test_nothing_judged_is_undefined_with_reasons() -> None:
    study = make_study(criteria=[("safety", "comparative")])
    make_batch(study, 2)

    found = answer("report", study.slug)

    preference, agreement = found["preference"], found["agreement"]
    assert preference["win_rate"] == {
        "value": None, "reason": "nothing has been judged yet", "n": 0,
    }  # fmt: skip
    assert agreement["percent"]["reason"] == "no item has two judgements"
    assert agreement["fleiss_kappa"]["value"] is None
    assert agreement["pairs"] == []
    assert preference["by_criterion"]["Safety"]["value"] is None


def test_one_annotator_has_a_win_rate_and_no_agreement() -> None:
    study = judged_study(items=12, annotators=1, overlap=1)

    found = answer("report", study.slug)

    assert found["preference"]["win_rate"]["n"] == 12
    assert found["preference"]["win_rate"]["low"] is not None
    assert found["agreement"]["krippendorff_alpha"]["nominal"]["value"] is None


def test_votes_that_are_all_alike_leave_agreement_undefined() -> None:
    study = judged_study(items=12, annotators=3, leaning=Leaning(candidate=1.0, tie=0.0))

    found = answer("report", study.slug)

    assert found["agreement"]["percent"]["value"] == 1
    alpha = found["agreement"]["krippendorff_alpha"]["nominal"]
    assert alpha["value"] is None
    assert "chance agreement" in alpha["reason"]


def test_imported_judgements_are_left_out_on_request() -> None:
    study = make_study(overlap=2)
    make_batch(study, 12)
    people = [make_user("Here"), make_user("Elsewhere")]
    judge_slots(study, people, share=0.5, seed=2)
    blind = queries.sided_votes(study).overall.n
    judge_slots(study, people, source="imported", seed=3)

    assert answer("report", study.slug)["progress"]["judgements"] == 24
    assert answer("report", study.slug, "--only", "blind")["progress"]["judgements"] == blind
    assert answer("report", study.slug, "--only=imported")["progress"]["judgements"] == 24 - blind


def test_confidence_widens_the_intervals(study: Study) -> None:
    wide, narrow = (
        answer("report", study.slug, "--confidence", level)["preference"]["win_rate"]
        for level in ("0.99", "0.8")
    )

    assert wide["confidence"] == 0.99
    assert wide["low"] < narrow["low"] < narrow["high"] < wide["high"]


def test_the_report_reads_well_in_a_terminal(study: Study) -> None:
    code, out, err = run("report", study.slug)

    assert (code, err) == (0, "")
    assert "90 of 90 judgements made, 30 items, 4 annotators" in out
    assert "Win rate, ties half: " in out
    assert "nan" not in out.lower().split()


def test_an_unknown_study_is_one_line(study: Study) -> None:
    for command in ("report", "decide"):
        code, out, err = run(command, "june")

        assert (code, out) == (1, "")
        assert err.strip() == f"No study is called 'june'. Studies: {study.slug}."


def test_wrong_use_is_told_apart(study: Study) -> None:
    for wrong in (["--confidence", "95"], ["--only", "mine"]):
        with pytest.raises(CommandError):
            call_command("report", study.slug, *wrong)


@pytest.mark.parametrize(
    ("leaning", "required", "code", "verdict"),
    [
        (Leaning(candidate=0.85, tie=0.1), True, 0, "GO"),
        (Leaning(candidate=0.05, tie=0.1), True, 3, "NO-GO"),
        (Leaning(candidate=0.55, tie=0.1), True, 4, "NOT YET"),
    ],
)
def test_decide_answers_by_its_exit_code(
    leaning: Leaning, required: bool, code: int, verdict: str, lena: User
) -> None:
    study = judged_study(items=60, annotators=6, leaning=leaning, same=0.8)
    deciding.change_policy(
        study, gates(human_preference=0.6), confidence=0.95, made_by=lena, reason="people only"
    )

    found, out, err = run("decide", study.slug, "--json")

    said = json.loads(out)
    assert (found, said["verdict"], err) == (code, verdict, "")
    assert [gate["gate"] for gate in said["gates"]] == [gate.key for gate in DEFAULT_GATES]
    for gate in said["gates"]:
        assert set(gate) == {"gate", "status", "threshold", "estimate", "sentence"}
        assert_estimate(gate["estimate"])
    assert run("decide", study.slug)[0] == code


def test_decide_writes_files_for_ci_systems_and_people(study: Study, tmp_path: Path) -> None:
    study.name = "Evil </style><script>alert(1)</script> \x08"
    study.save()
    xml, html = tmp_path / "gates.xml", tmp_path / "verdict.html"

    code, out, _ = run("decide", study.slug, f"--junit={xml}", f"--html={html}")

    suite = fromstring(xml.read_bytes()).find("testsuite")  # noqa: S314 - written just now
    assert code == 4
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("7", "0", "7")
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    assert set(cases) == {gate.key for gate in DEFAULT_GATES}
    error = cases["latency_p99"].find("error")
    assert error is not None
    assert "no suite has been run for it" in (error.text or "")
    text = html.read_text()
    assert "NOT YET" in text
    assert "<script>alert" not in text
    assert "NOT YET" in out


def test_a_file_that_cannot_be_written_is_one_line(study: Study, tmp_path: Path) -> None:
    code, out, err = run("decide", study.slug, f"--html={tmp_path / 'no' / 'file.html'}")

    assert (code, out) == (1, "")
    assert "cannot be written" in err


def test_commands_of_results_write_nothing(study: Study) -> None:
    run("report", study.slug)
    run("decide", study.slug)

    assert not study.policies.exists()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_is_json_in_a_terminal_of_any_encoding(encoding: str) -> None:
    make_study(slug="may", criteria=[("Höflichkeit – 丁寧", "comparative")])
    raw = BytesIO()
    out = TextIOWrapper(raw, encoding=encoding)

    call_command("report", "may", "--json", stdout=out)
    out.flush()

    assert "Höflichkeit – 丁寧" in json.loads(raw.getvalue())["preference"]["by_criterion"]


class FullDisk(StringIO):
    def write(self, text: str) -> int:
        raise OSError(ENOSPC, "No space left on device")


def test_an_answer_that_cannot_be_written_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    make_study(slug="may")
    err = StringIO()

    with pytest.raises(SystemExit) as stopped:
        call_command("decide", "may", stdout=FullDisk(), stderr=err)

    assert stopped.value.code == 1
    assert err.getvalue() == "The answer cannot be written: No space left on device.\n"


def test_one_of_a_thing_is_said_in_the_singular(alice: User) -> None:
    study = make_study(slug="may", annotators=[alice], overlap=1)
    make_batch(study, 1)
    judge_next(study, alice, 1)

    _, out, _ = run("report", "may")

    assert "1 of 1 judgements made, 1 item, 1 annotator\n" in out
