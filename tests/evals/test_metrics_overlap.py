"""ROUGE-L and token F1: the packages' own figures, other scripts, long and hostile texts."""

import difflib
import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score import rouge_scorer

from evals.metrics import Expected, Output, Scored, Unscored, scorer_for
from evals.metrics.overlap import longest_common_subsequence, rouge_l, token_f1
from evals.metrics.texts import split_tokens, tokens_for

ROUGE = rouge_scorer.RougeScorer(["rougeL"])
WORDS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=12)
ENGLISH = st.text(st.sampled_from("abcdeXYZ019 .,'’-–“”!?€°\n\té"), min_size=1, max_size=60).map(
    lambda text: text + " plain english words here"
)
# A few frequent words and many rare ones.
VOCABULARY = ["the", "of", "a", "to", "is", *(f"word{number}" for number in range(400))]


def english_pairs(number: int, seed: int = 7) -> list[tuple[str, str]]:
    rng = random.Random(seed)
    pairs = []
    for _ in range(number):
        reference = rng.choices(VOCABULARY, k=rng.randint(3, 80))
        answer = [w if rng.random() < 0.7 else rng.choice(VOCABULARY) for w in reference]
        rng.shuffle(answer[: len(answer) // 3])
        pairs.append((" ".join(reference).capitalize() + ".", ", ".join(answer) + "!"))
    return pairs


def seconds(work: Callable[[], object], tries: int = 3) -> float:
    best = float("inf")
    for _ in range(tries):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def plain_lcs(first: list[str], second: list[str]) -> int:
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            best = max(table[i][j + 1], table[i + 1][j])
            table[i + 1][j + 1] = table[i][j] + 1 if one == other else best
    return table[-1][-1]


@given(first=WORDS, second=WORDS)
def test_common_subsequence_matches_the_textbook(first: list[str], second: list[str]) -> None:
    ours = longest_common_subsequence(first, second)

    assert ours == plain_lcs(first, second)
    matcher = difflib.SequenceMatcher(None, first, second, autojunk=False)
    assert ours >= sum(block.size for block in matcher.get_matching_blocks())


def test_2000_english_pairs_score_as_rouge_score_does() -> None:
    for reference, answer in english_pairs(2_000):
        ours = rouge_l(reference, answer)
        theirs = ROUGE.score(reference, answer)["rougeL"]

        assert ours is not None
        assert abs(ours.value - theirs.fmeasure) <= 1e-12
        assert abs(ours.precision - theirs.precision) <= 1e-12
        assert abs(ours.recall - theirs.recall) <= 1e-12


@given(reference=ENGLISH, answer=ENGLISH)
def test_marks_and_quotes_in_english_are_split_as_by_rouge_score(
    reference: str, answer: str
) -> None:
    ours = rouge_l(reference, answer, "rouge")

    assert ours is not None
    assert abs(ours.value - ROUGE.score(reference, answer)["rougeL"].fmeasure) <= 1e-12


@pytest.mark.shared
def test_real_answers_in_english_score_as_rouge_score_does(shared: Path) -> None:
    files = sorted((shared / "data" / "alpaca_eval").glob("*/model_outputs.json"))
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    outputs = [[row["output"] for row in found] for found in rows]
    pairs = [
        (one, other)
        for one, other in zip(outputs[0], outputs[1], strict=True)
        if len(one) + len(other) < 2_500
    ]
    assert len(pairs) > 300

    for one, other in pairs:
        ours = rouge_l(one, other)
        theirs = ROUGE.score(one, other)["rougeL"].fmeasure
        assert abs((ours.value if ours else 0.0) - theirs) <= 1e-12


@pytest.mark.shared
def test_reference_cases_are_reproduced_or_refused(shared: Path) -> None:
    cases = json.loads((shared / "stats" / "cases.json").read_text(encoding="utf-8"))
    mine = [case for case in cases if case["statistic"] == "rouge_l_f1"]
    assert mine

    for case in mine:
        found = rouge_l(**case["data"])
        if case["undefined"]:
            assert found is None
            continue
        for name, expected in case["expected"].items():
            assert getattr(found, name) == pytest.approx(expected, abs=case["tolerance"])


@pytest.mark.parametrize(
    ("reference", "answer", "value"),
    [
        ("我爱吃苹果", "我喜欢吃苹果", 8 / 11),  # 我 吃 苹 果 of 5 and 6 characters
        ("東京に行きます", "大阪に行きます", 10 / 14),  # に行きます of 7 and 7
        ("Привет, мир!", "привет большой мир", 4 / 5),
        ("नमस्ते सुंदर दुनिया", "नमस्ते दुनिया", 4 / 5),
        ("مرحبا بالعالم", "مرحبا يا عالم", 2 / 5),
        ("สวัสดีครับ", "สวัสดีครับ", 1.0),
        ("안녕 세계", "안녕 모두", 1 / 2),
        ("The answer is 東京です、ありがとう", "The answer is 大阪です、ありがとう", 20 / 24),
    ],
)
def test_other_scripts_have_a_meaningful_score(reference: str, answer: str, value: float) -> None:
    found = rouge_l(reference, answer)

    assert found is not None
    assert found.value == pytest.approx(value)


def test_marks_stay_with_their_letters() -> None:
    assert split_tokens("ที่นี่", "unicode") == ("ที่", "นี่")
    assert split_tokens("नमस्ते", "unicode") == ("नमस्ते",)
    assert split_tokens("e\u0301té", "unicode") == ("été",)


def test_the_reference_alone_decides_how_a_case_is_split() -> None:
    scorer = scorer_for("rouge_l")
    expected = Expected(answers=("plain english words",))

    for answer in ("plain words", "完全不同的答案", "", "plain 英语 words"):
        result = scorer(Output(answer), expected)
        assert isinstance(result, Scored)
        assert result.parts["tokens"] == "rouge"


@given(st.text(max_size=80), st.text(max_size=80))
def test_scores_lie_between_0_and_1_and_swap_precision_with_recall(one: str, other: str) -> None:
    there, back = rouge_l(one, other, "unicode"), rouge_l(other, one, "unicode")

    if there is not None and back is not None:
        assert 0 <= there.value <= 1
        assert (there.precision, there.recall) == (back.recall, back.precision)
    if there is not None:
        itself = rouge_l(one, one, "unicode")
        assert itself is not None
        assert itself.value == 1.0


def test_the_best_of_several_references_counts_and_one_without_words_is_left_out() -> None:
    scorer = scorer_for("rouge_l", {"pass_at": 0.9})

    result = scorer(Output("the cat sat"), Expected(answers=("…", "a dog ran", "the cat sat")))

    assert isinstance(result, Scored)
    assert (result.value, result.passed) == (1.0, True)
    nothing = scorer(Output("text"), Expected(answers=("…", "")))
    assert nothing == Unscored("no expected answer holds a word")


@pytest.mark.parametrize(
    ("reference", "tokens"),
    [
        ("The café's naïve résumé", "rouge"),
        ("/in-tər-prə-ˈteɪʃənz/", "rouge"),
        ("the constant π is about 3.14159", "rouge"),
        ("42", "rouge"),
        ("π", "unicode"),
        ("é", "unicode"),
        ("iPhone 15 の価格", "unicode"),
    ],
)
def test_latin_is_split_as_by_rouge_score_and_the_rest_by_words(
    reference: str, tokens: str
) -> None:
    assert tokens_for(reference, "auto") == tokens


def test_an_answer_without_a_word_scores_0() -> None:
    found = rouge_l("words", "…")
    assert found is not None
    assert (found.value, found.precision, found.recall) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("reference", "answer", "value"),
    [
        ("The cat sat on the mat.", "a cat sat on a mat", 1.0),  # articles do not count
        ("Denver Broncos", "The Denver Broncos won", 4 / 5),
        ("1,250", "1250", 1.0),
        ("yes yes no", "yes", 1 / 2),
        ("我爱吃苹果", "我喜欢吃苹果。", 8 / 11),
        ("north", "south", 0.0),
    ],
)
def test_token_f1_is_that_of_squad(reference: str, answer: str, value: float) -> None:
    # SQuAD 1.1: lower case, no punctuation, no articles; counts of shared words.
    found = token_f1(reference, answer)

    assert found is not None
    assert found.value == pytest.approx(value)


@pytest.mark.parametrize("token", ["a ", "ab{} ", "我", "\0 x ", "\ud800y "])
def test_texts_four_times_as_long_take_at_most_quadratically_longer(token: str) -> None:
    def text(size: int) -> str:
        made = "".join(token.format(n) if "{" in token else token for n in range(size))
        return made[:size]

    small, large = text(50_000), text(200_000)
    scorer = scorer_for("rouge_l")
    quick = seconds(lambda: scorer(Output(small), Expected(answers=(small[::-1],))))

    slow = seconds(lambda: scorer(Output(large), Expected(answers=(large[::-1],))), 1)

    assert slow <= 16 * 2.5 * quick


def test_it_is_many_times_quicker_than_rouge_score_in_the_same_run() -> None:
    pairs = english_pairs(150, seed=3)

    ours = seconds(lambda: [rouge_l(*pair) for pair in pairs])
    theirs = seconds(lambda: [ROUGE.score(*pair) for pair in pairs])

    assert theirs > 2 * ours
