"""The demonstration's texts and its make-believe past."""

import json
import re
from collections import Counter
from itertools import combinations
from typing import Any

import pytest

from annotate.demo.content import ITEMS_FILE, load_items, load_study
from annotate.demo.simulate import Answer, simulate
from annotate.parsing import Reading, Source
from annotate.parsing.identification import names_a_model

CATEGORIES = ("returns", "orders", "product_advice", "structured")
OUTPUTS = ("baseline_output", "candidate_output")

STUDY = load_study()
ITEMS = load_items()
PROSE = [item for item in ITEMS if item["category"] != "structured"]
STRUCTURED = [item for item in ITEMS if item["category"] == "structured"]
ANNOTATORS = range(len(STUDY["annotators"]))
PAST = [[simulate(STUDY, ITEMS, a, i) for i in range(len(ITEMS))] for a in ANNOTATORS]

# Right-to-left letters, and the pictures people send to shops.
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff]")
EMOJI = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")


def sign(number: float) -> int:
    return (number > 0) - (number < 0)


def winners(annotator: int) -> list[int]:
    return [sign(answer["preference"]) for answer in PAST[annotator]]


def cohen_kappa(one: list[int], other: list[int]) -> float:
    """Written out here, so that the test leans on no other room."""
    n = len(one)
    observed = sum(a == b for a, b in zip(one, other, strict=True)) / n
    counts, others = Counter(one), Counter(other)
    chance = sum(counts[value] * others[value] for value in counts) / n**2
    return (observed - chance) / (1 - chance)


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def everything_said(item: dict[str, Any]) -> list[str]:
    prompt = item["prompt"]
    turns = [prompt] if isinstance(prompt, str) else [turn["content"] for turn in prompt]
    return [*turns, *(item[key] for key in OUTPUTS), item.get("reference", "")]


# ------------------------------------------------------------------ the texts


def test_every_category_has_twelve_items_with_ids_of_their_own() -> None:
    assert Counter(item["category"] for item in ITEMS) == dict.fromkeys(CATEGORIES, 12)
    assert [item["item_id"] for item in ITEMS] == [f"n-{n:03d}" for n in range(1, 49)]


def test_items_have_the_known_keys_and_nothing_hidden() -> None:
    known = {"item_id", "category", "prompt", *OUTPUTS}

    assert {frozenset(item) - {"reference"} for item in ITEMS} == {frozenset(known)}
    assert all(item["reference"] for item in ITEMS if "reference" in item)


def test_about_ten_prompts_are_conversations_that_end_with_the_customer() -> None:
    chats = [item["prompt"] for item in ITEMS if isinstance(item["prompt"], list)]

    assert 8 <= len(chats) <= 12
    for chat in chats:
        roles = [turn["role"] for turn in chat]
        assert roles[0] == "system"
        assert roles[1:] == [("user", "assistant")[n % 2] for n in range(len(roles) - 1)]
        assert roles[-1] == "user"
    assert any(len(chat) > 2 for chat in chats)


@pytest.mark.parametrize("item", PROSE, ids=lambda item: item["item_id"])
def test_prose_is_long_enough_to_compare_and_short_enough_to_read(item: dict[str, Any]) -> None:
    assert all(40 <= len(item[key].split()) <= 160 for key in OUTPUTS)


def test_no_two_outputs_are_identical() -> None:
    assert all(item["baseline_output"] != item["candidate_output"] for item in ITEMS)
    assert len({item[key] for item in ITEMS for key in OUTPUTS}) == 2 * len(ITEMS)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item["item_id"])
def test_no_text_names_a_system_or_a_model(item: dict[str, Any]) -> None:
    systems = r"\b(fern|1\.4|2\.0|AI|chatbot|language model|baseline|candidate)\b"

    for text in everything_said(item):
        assert not re.search(systems, text, re.IGNORECASE)
        assert not names_a_model(text)


def test_every_text_survives_utf8_and_the_file_is_clean() -> None:
    raw = ITEMS_FILE.read_bytes()

    assert raw.endswith(b"\n")
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert not re.search(rb"\r|\\u|\x00", raw)
    for item in ITEMS:
        for text in everything_said(item):
            assert text.encode("utf-8").decode("utf-8") == text
            assert text == text.strip()


def test_the_ordinary_upload_takes_the_file_without_a_word() -> None:
    reading = Reading([Source(ITEMS_FILE.name, None, lambda: ITEMS_FILE.open("rb"))])

    rows = list(reading)

    assert reading.report.accepted
    assert (reading.report.errors, reading.report.warnings) == ([], [])
    assert [row.candidate_output for row in rows] == [item["candidate_output"] for item in ITEMS]
    assert reading.report.categories == dict.fromkeys(CATEGORIES, 12)
    assert not any(row.metadata for row in rows)


def test_the_texts_show_what_the_pages_must_be_able_to_show() -> None:
    outputs = "\n".join(item[key] for item in PROSE for key in OUTPUTS)
    said = "\n".join(text for item in ITEMS for text in everything_said(item))

    assert RIGHT_TO_LEFT.search(said)
    assert EMOJI.search(outputs)
    assert "```" in outputs
    assert re.search(r"^- ", outputs, re.MULTILINE)
    assert re.search(r"^1\. ", outputs, re.MULTILINE)
    assert "Šimůnková" in said


# ----------------------------------------------------------- structured items


def test_structured_items_have_a_valid_reference_each() -> None:
    assert all(is_json(item["reference"]) for item in STRUCTURED)


def test_a_few_baseline_outputs_are_invalid_json_and_no_candidate_output_is() -> None:
    valid = {key: sum(is_json(item[key]) for item in STRUCTURED) for key in OUTPUTS}

    assert valid == {"baseline_output": 9, "candidate_output": 12}


def test_the_candidate_matches_more_references() -> None:
    def matched(key: str) -> int:
        return sum(
            json.loads(item[key]) == json.loads(item["reference"])
            for item in STRUCTURED
            if is_json(item[key])
        )

    assert (matched("baseline_output"), matched("candidate_output")) == (4, 8)


def test_only_structured_items_have_a_reference_since_prose_never_matches_exactly() -> None:
    assert [item["item_id"] for item in PROSE if "reference" in item] == []


# ------------------------------------------------------------------ the study


def test_the_study_asks_the_question_of_the_demonstration() -> None:
    assert STUDY["name"] == "Support replies, autumn"
    assert STUDY["baseline_name"] != STUDY["candidate_name"]
    assert (STUDY["scale"], STUDY["both_bad"]) == (5, True)
    assert (STUDY["overlap"], STUDY["lease_minutes"]) == (3, 30)
    assert 150 <= len(STUDY["guidelines"].split()) <= 260
    assert [criterion["key"] for criterion in STUDY["criteria"]] == [
        "correctness",
        "helpfulness",
        "safety",
        "format-adherence",
    ]


def test_guidelines_and_criteria_keep_the_blind() -> None:
    shown = [STUDY["guidelines"], STUDY["question"], STUDY["name"], STUDY["batch_name"]]
    shown += [criterion["description"] for criterion in STUDY["criteria"]]

    assert not re.search(r"\b(fern|baseline|candidate)\b", " ".join(shown), re.IGNORECASE)


def test_people_have_addresses_of_their_own_that_nobody_can_receive() -> None:
    people = [STUDY["admin"], STUDY["lead"], *STUDY["annotators"]]

    assert len({person["email"] for person in people}) == 6
    assert all(person["email"].endswith("@example.org") for person in people)
    assert [one["key"] for one in STUDY["annotators"]] == ["amara", "bastian", "chiyo", "dilan"]


def test_every_item_has_a_hidden_quality_for_every_question() -> None:
    questions = {"overall", *(criterion["key"] for criterion in STUDY["criteria"])}

    assert list(STUDY["quality"]) == [item["item_id"] for item in ITEMS]
    for quality in STUDY["quality"].values():
        assert set(quality["lean"]) == questions
        assert all(-2 <= lean <= 2 for lean in quality["lean"].values())
        assert 0 <= quality["both_bad"] <= 0.5


def test_the_candidate_is_better_more_often_but_not_always() -> None:
    leans = Counter(sign(quality["lean"]["overall"]) for quality in STUDY["quality"].values())

    assert leans == {1: 28, -1: 12, 0: 8}


# ------------------------------------------------------------------- the past


@pytest.mark.parametrize("pair", list(combinations(ANNOTATORS, 2)))
def test_each_pair_of_annotators_agrees_moderately(pair: tuple[int, int]) -> None:
    assert 0.45 <= cohen_kappa(winners(pair[0]), winners(pair[1])) <= 0.65


def test_the_win_rate_is_near_its_gate() -> None:
    said = [winner for annotator in ANNOTATORS for winner in winners(annotator)]
    rate = (said.count(1) + said.count(0) / 2) / len(said)

    assert 0.60 <= rate <= 0.66


def test_other_seeds_tell_much_the_same_story() -> None:
    """The figures above are the design's, not the luck of one seed."""
    kappas, rates = [], []
    for seed in range(40):
        study = {**STUDY, "seed": seed}
        said = [
            [sign(simulate(study, ITEMS, a, i)["preference"]) for i in range(len(ITEMS))]
            for a in ANNOTATORS
        ]
        kappas += [cohen_kappa(one, other) for one, other in combinations(said, 2)]
        flat = [winner for row in said for winner in row]
        rates.append((flat.count(1) + flat.count(0) / 2) / len(flat))

    assert 0.48 <= sum(kappas) / len(kappas) <= 0.62
    assert 0.60 <= sum(rates) / len(rates) <= 0.66


def test_the_past_uses_the_whole_scale_and_a_few_both_bad() -> None:
    answers = [answer for row in PAST for answer in row]

    assert {answer["preference"] for answer in answers} == {-2, -1, 0, 1, 2}
    assert 1 <= sum(answer["both_bad"] for answer in answers) <= 10
    assert all(answer["preference"] == 0 for answer in answers if answer["both_bad"])


def test_criteria_are_answered_all_and_differ_from_the_whole() -> None:
    keys = [criterion["key"] for criterion in STUDY["criteria"]]
    answers = [answer for row in PAST for answer in row]

    assert all(list(answer["criteria"]) == keys for answer in answers)
    for key in keys:
        assert {answer["criteria"][key] for answer in answers} == {-1, 0, 1}
        assert any(answer["criteria"][key] != sign(answer["preference"]) for answer in answers)


def test_judging_takes_as_long_as_reading_does() -> None:
    seconds = sorted(answer["seconds"] for row in PAST for answer in row)

    assert seconds[0] >= 5
    assert 30 <= seconds[len(seconds) // 2] <= 70
    assert seconds[-1] <= 180


def test_comments_appear_once_each_and_fit_the_answer() -> None:
    index = {one["key"]: n for n, one in enumerate(STUDY["annotators"])}
    place = {item["item_id"]: n for n, item in enumerate(ITEMS)}
    said = [answer["comment"] for row in PAST for answer in row if answer["comment"]]

    assert 6 <= len(STUDY["comments"]) <= 10
    assert Counter(said) == Counter(comment["text"] for comment in STUDY["comments"])
    for comment in STUDY["comments"]:
        answer = PAST[index[comment["annotator"]]][place[comment["item_id"]]]
        lean = STUDY["quality"][comment["item_id"]]["lean"]["overall"]
        assert sign(answer["preference"]) == sign(lean)


def test_the_past_is_the_same_each_time_and_in_any_order() -> None:
    again: list[list[Answer]] = [
        [simulate(STUDY, ITEMS, a, i) for i in reversed(range(len(ITEMS)))] for a in ANNOTATORS
    ]

    assert [row[::-1] for row in again] == PAST


def test_who_favours_length_prefers_longer_replies_more_often() -> None:
    index = {one["key"]: n for n, one in enumerate(STUDY["annotators"])}

    def longer_share(annotator: int, seed: int) -> float:
        study = {**STUDY, "seed": seed}
        hits = 0
        for place, item in enumerate(PROSE):
            longer = len(item["candidate_output"].split()) - len(item["baseline_output"].split())
            chosen = simulate(study, ITEMS, annotator, place)["preference"]
            hits += sign(chosen) == sign(longer) != 0
        return hits / len(PROSE)

    seeds = range(20)
    bastian = sum(longer_share(index["bastian"], seed) for seed in seeds)
    chiyo = sum(longer_share(index["chiyo"], seed) for seed in seeds)
    assert bastian > chiyo
