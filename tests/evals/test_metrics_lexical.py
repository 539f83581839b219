"""What all scorers keep to; exact match, contains, BLEU and chrF."""

import json
import math
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics import bleu as sacre_bleu
from sacrebleu.metrics import chrf as sacre_chrf

from evals.metrics import (
    SCORERS,
    Expected,
    Output,
    ParameterError,
    Result,
    Scored,
    Unscored,
    scorer_for,
)
from tests.evals.test_metrics_overlap import english_pairs, seconds

ROOT = Path(__file__).resolve().parents[2]
PURE = """
import sys
import evals.metrics, evals.metrics.judge
heavy = {"django", "psycopg", "openai", "requests", "httpx", "nltk", "rouge_score", "jsonschema"}
print(sorted(set(sys.modules) & heavy))
"""
HOSTILE = ["", "\0", "\ud800", "a\0b\udfff", "\u202e\u0300", "[" * 200_000, "1" * 200_000, "🙂" * 9]


def score(name: str, text: str, *answers: str, **parameters: Any) -> Result:
    return scorer_for(name, parameters)(Output(text), Expected(answers=answers))


def value(name: str, text: str, *answers: str, **parameters: Any) -> float:
    result = score(name, text, *answers, **parameters)
    assert isinstance(result, Scored), result
    return result.value


def reason(result: Result) -> str:
    assert isinstance(result, Unscored), result
    return result.reason


# --- all of them ------------------------------------------------------------------------------


def test_scorers_import_no_web_framework_no_database_and_no_client() -> None:
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", PURE],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout == "[]\n"


@pytest.mark.parametrize("name", SCORERS)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_breaks_a_scorer_and_no_answer_is_not_a_number(name: str, text: str) -> None:
    expected = Expected(answers=("1", "a\0b"), tool_calls=(), schema={}, refuse=True)

    result = scorer_for(name)(Output(text), expected)

    if isinstance(result, Scored):
        assert math.isfinite(result.value)
        json.dumps(dict(result.parts), allow_nan=False).encode()


@given(text=st.text(max_size=40), answer=st.text(max_size=40))
def test_no_pair_of_texts_breaks_a_scorer_of_texts(text: str, answer: str) -> None:
    for name in ("exact_match", "contains", "token_f1", "rouge_l", "bleu", "chrf", "numeric"):
        result = score(name, text, answer)
        assert isinstance(result, Unscored) or 0 <= result.value <= (SCORERS[name].top or 0)


@pytest.mark.parametrize("name", ["exact_match", "rouge_l", "bleu", "json_valid", "refusal"])
def test_an_answer_that_never_came_stays_in_the_denominator(name: str) -> None:
    failed = Output(error="connection reset")

    result = scorer_for(name)(failed, Expected(answers=("x",), refuse=True))

    assert isinstance(result, Scored)
    assert result.value == 0.0
    assert result.passed is (None if name in ("rouge_l", "bleu") else False)
    assert result.parts["fault"] == "no output: connection reset"


def test_a_graded_scorer_passes_and_fails_only_by_a_pass_mark() -> None:
    assert score("chrf", "abc", "abc") == Scored(100.0, None, {"references": 1})
    marked = scorer_for("chrf", {"pass_at": 50})
    for output, passed in ((Output("abc"), True), (Output("x"), False), (Output(error="e"), False)):
        result = marked(output, Expected(answers=("abc",)))
        assert isinstance(result, Scored)
        assert result.passed is passed


def test_truncation_and_missing_text_are_told_and_scored() -> None:
    cut = scorer_for("exact_match")(Output("Par", finish_reason="length"), Expected(("Paris",)))
    silent = scorer_for("exact_match")(Output(None), Expected(("Paris",)))

    assert isinstance(cut, Scored)
    assert (cut.value, cut.parts["truncated"]) == (0.0, True)
    assert silent == Scored(0.0, False, {"fault": "no text was written"})


def test_a_case_without_an_expected_answer_is_unscored() -> None:
    for name in ("exact_match", "contains", "numeric", "token_f1", "rouge_l", "bleu", "chrf"):
        assert reason(score(name, "text")) == "the case has no expected answer"


def test_signatures_differ_exactly_where_scores_could() -> None:
    plain = scorer_for("exact_match").signature.text
    same = scorer_for("exact_match", {"case": "keep"}).signature.text
    other = scorer_for("exact_match", {"case": "fold"}).signature.text

    assert plain == (
        'exact_match|version:1|level:output|articles:"keep"|case:"keep"|form:"nfc"'
        '|punctuation:"keep"|spaces:"trim"'
    )
    assert plain == same != other
    long = [scorer_for("regex", {"pattern": "a" * n}).signature.text for n in (300, 301)]
    assert long[0] != long[1]
    assert all(len(text) < 300 for text in long)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("exact", {}, "There is no scorer 'exact'. Scorers: bleu, chrf, contains, exact_match"),
        ("exact_match", {"lower": True}, "has no parameter 'lower'. It takes: form, case"),
        ("exact_match", {"case": "low"}, "'case' is 'low'. It must be one of 'keep', 'fold'."),
        ("exact_match", [1], 'write the parameters as {"name": value}.'),
        ("rouge_l", {"pass_at": 1.5}, "'pass_at' is 1.5. It must be a number from 0 to 1 or null."),
        ("rouge_l", {"pass_at": True}, "'pass_at' is True."),
        ("numeric", {"absolute": math.nan}, "'absolute' is nan."),
        ("numeric", {"absolute": 10**5000}, "'absolute' is too large to be shown."),
        ("chrf", {"word_order": 1.0}, "It must be a whole number from 0 to 4."),
        ("bleu", {"tokenize": "flores200"}, "one of '13a', 'intl', 'char', 'zh', 'none'."),
        ("perplexity", {"base": 2}, "It takes none."),
        ("json_schema", {"schema": "{}"}, "It must be an object or true or false or null."),
    ],
)
def test_a_faulty_parameter_is_named_with_its_cure(
    name: str, parameters: Any, message: str
) -> None:
    with pytest.raises(ParameterError) as refused:
        scorer_for(name, parameters)

    assert message in str(refused.value)


# --- exact match and contains -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "text", "right"),
    [
        ({}, " Paris\n", True),
        ({"spaces": "keep"}, " Paris\n", False),
        ({}, "paris", False),
        ({"case": "fold"}, "PARIS", True),
        ({"punctuation": "drop"}, "Paris.", True),
        ({"articles": "drop", "case": "fold", "spaces": "collapse"}, "The  paris", True),
        ({"form": "nfkc"}, "Ｐａｒｉｓ", True),
        ({}, "Ｐａｒｉｓ", False),
    ],
)
def test_exact_match_levels_what_is_stated_and_nothing_else(
    parameters: dict[str, str], text: str, right: bool
) -> None:
    assert value("exact_match", text, "Lutetia", "Paris", **parameters) == float(right)


def test_composed_and_decomposed_letters_are_the_same_text() -> None:
    assert value("exact_match", "cafe\u0301", "caf\u00e9") == 1.0
    assert value("exact_match", "cafe\u0301", "caf\u00e9", form="none") == 0.0
    assert value("exact_match", "STRASSE", "straße", case="fold") == 1.0


@given(text=st.text(max_size=40))
def test_every_text_matches_and_contains_itself(text: str) -> None:
    for name in ("exact_match", "contains"):
        assert value(name, text, text, case="fold", spaces="collapse", form="nfkc") == 1.0


def test_contains_any_all_or_none_of_the_texts() -> None:
    found = {
        must: value("contains", "salt and pepper", "salt", "sugar", must_hold=must)
        for must in ("any", "all", "none")
    }

    assert found == {"any": 1.0, "all": 0.0, "none": 0.0}
    assert value("contains", "plain", "salt", "sugar", must_hold="none") == 1.0


# --- BLEU and chrF ----------------------------------------------------------------------------


def test_2000_sentences_score_as_by_sacrebleu() -> None:
    bleu, chrf = scorer_for("bleu"), scorer_for("chrf", {"word_order": 2})
    their_bleu, their_chrf = sacre_bleu.BLEU(effective_order=True), sacre_chrf.CHRF(word_order=2)

    for reference, answer in english_pairs(2_000):
        expected = Expected(answers=(reference,))
        ours = (bleu(Output(answer), expected), chrf(Output(answer), expected))
        theirs = (
            their_bleu.sentence_score(answer, [reference]),
            their_chrf.sentence_score(answer, [reference]),
        )
        for mine, other in zip(ours, theirs, strict=True):
            assert isinstance(mine, Scored)
            assert mine.value == pytest.approx(other.score, abs=1e-12)


@pytest.mark.parametrize("name", ["bleu", "chrf"])
def test_a_corpus_has_its_own_score_and_signature(name: str) -> None:
    pairs = english_pairs(300)
    scorer = scorer_for(name)
    rows = [(Output(answer), Expected(answers=(reference,))) for reference, answer in pairs]
    metric = sacre_bleu.BLEU() if name == "bleu" else sacre_chrf.CHRF()
    theirs = metric.corpus_score([a for _, a in pairs], [[r for r, _ in pairs]])

    result = scorer.over_corpus(rows)

    assert isinstance(result, Scored)
    assert result.value == pytest.approx(theirs.score, abs=1e-12)
    assert result.parts["sacrebleu"] == metric.get_signature().format()
    assert scorer.corpus_signature is not None
    assert "|level:corpus|" in scorer.corpus_signature.text
    assert "|level:output|" in scorer.signature.text
    each = [scorer(*row) for row in rows]
    mean = sum(one.value for one in each if isinstance(one, Scored)) / len(each)
    assert abs(mean - result.value) > 0.01


def test_an_output_that_failed_stays_in_the_corpus_as_an_empty_one() -> None:
    good = (Output("the cat sat on the mat"), Expected(answers=("the cat sat on the mat", "it")))
    failed = (Output(error="timeout"), Expected(answers=("the dog ran",)))
    unanswerable = (Output("text"), Expected())

    result = scorer_for("bleu").over_corpus([good, failed, unanswerable])

    assert isinstance(result, Scored)
    assert result.value < 100
    names = ("outputs", "empty", "left_out")
    assert [result.parts[name] for name in names] == [2, 1, 1]
    assert "nrefs:var" in str(result.parts["sacrebleu"])
    assert reason(scorer_for("bleu").over_corpus([])) == "no case has an expected answer"
    assert "corpus" in reason(scorer_for("numeric").over_corpus([good]))


def test_the_signature_of_sacrebleu_is_part_of_ours() -> None:
    bleu = scorer_for("bleu", {"tokenize": "zh", "lowercase": True})

    theirs = "(nrefs:var|case:lc|eff:{}|tok:zh|smooth:exp|version:2.6.0)"
    assert bleu.signature.engine["sacrebleu"] == theirs.format("yes")
    assert bleu.corpus_signature is not None
    assert bleu.corpus_signature.engine["sacrebleu"] == theirs.format("no")


# --- long texts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["exact_match", "contains", "numeric", "token_f1", "bleu", "chrf", "json_valid"]
)
@pytest.mark.parametrize("piece", ["a b1, ", "1,1.-", '{"a": [', "我们"])
def test_ten_times_the_text_takes_about_ten_times_as_long(name: str, piece: str) -> None:
    rng = random.Random(1)

    def work(size: int) -> Callable[[], object]:
        text = "".join(rng.choice((piece, piece[::-1])) for _ in range(size))[:size]
        scorer, expected = scorer_for(name), Expected(answers=("1", text[::-1]))
        return lambda: scorer(Output(text), expected)

    small = seconds(work(20_000))

    assert seconds(work(200_000), 1) <= 10 * 4 * small + 0.05
