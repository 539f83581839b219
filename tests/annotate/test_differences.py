"""The differences of two outputs: laid out first, then marked word by word."""

import json

import pytest

from annotate.blinding import BlindPair
from annotate.showing import View, show_pair
from annotate.showing.blocks import Block, Data, MarkedCall, Nothing, Paragraph, Span


def text_of(blocks: list[Block]) -> str:
    return "".join(
        "".join(span.text for span in block.spans) + block.ending
        for block in blocks
        if isinstance(block, Paragraph)
    )


def marked(spans: tuple[Span, ...]) -> list[str]:
    return [span.text for span in spans if span.mark == "differs"]


def call_of(name: str, **arguments: str) -> str:
    return json.dumps({"content": None, "tool_calls": [{"name": name, "arguments": arguments}]})


def test_differences_lay_calls_out_and_mark_the_words_of_an_argument() -> None:
    calls = (
        call_of("weather", town="Bern", day="next Monday"),
        call_of("weather", town="Bern", day="next Friday"),
    )
    shown = show_pair(BlindPair("p", *calls), View.DIFF)

    for blocks, day in ((shown.left, "Monday"), (shown.right, "Friday")):
        (call,) = blocks
        assert isinstance(call, MarkedCall)
        assert call.name == (Span("weather"),)
        assert call.pairs[0] == ((Span("town"),), (Span('"Bern"'),))
        name, value = call.pairs[1]
        assert name == (Span("day"),)
        assert marked(value) == [day]
        assert "".join(span.text for span in value) == f'"next {day}"'


@pytest.mark.parametrize("is_left", [True, False])
def test_differences_of_a_call_and_a_text_show_no_raw_json(is_left: bool) -> None:
    text = "The weather in Bern is fine.\n\nAnything else?"
    call = call_of("weather", town="Bern")
    shown = show_pair(BlindPair("p", *((call, text) if is_left else (text, call))), View.DIFF)
    called, said = (shown.left, shown.right) if is_left else (shown.right, shown.left)

    (block,) = called
    assert isinstance(block, MarkedCall)
    assert block.name == (Span("weather"),)
    assert "".join(span.text for span in block.pairs[0][1]) == '"Bern"'
    assert text_of(said) == text
    assert [block.kind for block in said] == ["paragraph", "paragraph"]


def test_differences_of_an_empty_text_and_a_call_without_arguments() -> None:
    shown = show_pair(BlindPair("p", "", call_of("f")), View.DIFF)

    assert shown.left == [Nothing()]
    assert shown.right == [MarkedCall((Span("f", "differs"),), ())]


def test_differences_of_data_and_of_paragraphs_mark_what_one_side_lacks() -> None:
    data = show_pair(BlindPair("p", '{"a": 1, "b": 2}', '{"a": 1, "b": 3}'), View.DIFF)
    texts = show_pair(BlindPair("p", "One.\n\nTwo words.", "One.\n\nThree words."), View.DIFF)

    (block,) = data.left
    assert isinstance(block, Data)
    assert marked(block.spans) == ["2"]
    last = texts.right[-1]
    assert isinstance(last, Paragraph)
    assert marked(last.spans) == ["Three"]
    assert (text_of(texts.left), text_of(texts.right)) == (
        "One.\n\nTwo words.", "One.\n\nThree words."
    )  # fmt: skip
