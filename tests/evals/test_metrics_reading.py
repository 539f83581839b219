"""Patterns and numbers found in an answer."""

import pytest

from evals.metrics import Expected, Output, ParameterError, Scored, scorer_for
from tests.evals.test_metrics_lexical import reason, score, value
from tests.evals.test_metrics_overlap import seconds

# --- regex ------------------------------------------------------------------------------------


def test_a_pattern_of_the_scorer_or_of_the_case_is_searched_or_matched_whole() -> None:
    assert value("regex", "id: A-17!", pattern=r"\b[A-Z]-\d+") == 1.0
    assert value("regex", "id: A-17!", r"[A-Z]-\d+", match="whole") == 0.0
    assert value("regex", "A-17", r"nothing", r"[A-Z]-\d+", match="whole") == 1.0
    assert value("regex", "Ärger", pattern="ärger", ignore_case=True) == 1.0
    assert value("regex", "a\nb", pattern="a.b") == 0.0
    assert value("regex", "a\nb", pattern="a.b", dot_matches_newline=True) == 1.0
    assert value("regex", "no card number", pattern=r"\d{16}", must_match=False) == 1.0
    assert "there is no pattern" in reason(score("regex", "x"))
    assert "is not closed" in reason(score("regex", "x", "("))


@pytest.mark.parametrize(
    ("pattern", "cure"),
    [
        ("(?=a)b", "look-ahead and look-behind are not supported"),
        (r"(a)\1", "back-references are not supported"),
        ("(a", "a ( is not closed. Add a )"),
        ("a)", "a ) was never opened"),
        ("[a", "a [ is not closed"),
        ("*a", "there is nothing before it to repeat"),
        ("a**", "two repeats follow each other"),
        ("[z-a]", "the range runs backwards. Swap its ends"),
        ("a{1001}", "more than 1000 repeats"),
        (r"\q", "no such escape"),
        (r"(\pL{500}){2}", "it is too large. Repeat fewer times"),
        ("\ud800", "half of a surrogate pair"),
    ],
)
def test_a_faulty_pattern_is_explained_in_words(
    pattern: str, cure: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ParameterError) as refused:
        scorer_for("regex", {"pattern": pattern})

    assert refused.value.parameter == "pattern"
    assert cure in str(refused.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)*x", "(a?){30}a{30}$"])
def test_patterns_that_explode_elsewhere_take_linear_time(pattern: str) -> None:
    scorer = scorer_for("regex", {"pattern": pattern})
    # With backtracking, 30 letters already take minutes.
    small, large = Output("a" * 20_000 + "!"), Output("a" * 200_000 + "!")

    quick = seconds(lambda: scorer(small, Expected()))

    assert seconds(lambda: scorer(large, Expected())) <= 10 * 4 * quick + 0.05


# --- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("The total is $1,234.50.", "1234.5"),
        ("x = -3", "-3"),
        ("from 10-20", "20"),
        ("(7) - 2", "2"),
        ("−7 °C", "-7"),
        ("1,2,3", "3"),
        ("about .5", "0.5"),
        ("wait...5", "5"),
        ("6.02e23", "6.02e23"),
        ("共3个", "3"),
        ("٣", "3"),
        ("scores 5 100", "100"),
        ("1\u202f000\u202f000", "1000000"),
        ("50%", "50"),
        ("GPT4 says 12.", "12"),
    ],
)
def test_the_last_number_of_an_answer_is_read(text: str, number: str) -> None:
    assert value("numeric", text, number) == 1.0


def test_numbers_are_close_by_an_absolute_or_relative_tolerance() -> None:
    assert value("numeric", "3.15", "3.14") == 0.0
    assert value("numeric", "0.3", "0.2", absolute=0.1) == 1.0  # not so in binary
    assert value("numeric", "104.9", "100", relative=0.05) == 1.0
    assert value("numeric", "105.1", "100", relative=0.05) == 0.0
    assert value("numeric", "12345678901234567890", "12345678901234567891") == 0.0


def test_which_number_counts_and_how_it_is_written_is_stated() -> None:
    assert value("numeric", "4, not 5", "4") == 0.0
    assert value("numeric", "4, not 5", "4", take="first") == 1.0
    assert value("numeric", "4, not 5", "4", take="only") == 0.0
    assert value("numeric", "1.234,5 Euro", "1234.5", decimal=",") == 1.0
    result = score("numeric", "none", "4")
    assert result == Scored(0.0, False, {"number": None, "fault": "the answer holds no number"})
    assert "'four' is no number" in reason(score("numeric", "4", "four"))
