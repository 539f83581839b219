"""Untrusted text on the page: nothing lives, nothing is lost, nothing is slow."""

import html
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotate.blinding import BlindPair
from annotate.showing import CleanHtml, View, in_short, show_pair, show_turns
from annotate.showing.blocks import Block, Call, Data, Formatted, Nothing, Paragraph, Span
from annotate.showing.blocks import paragraphs as cut
from annotate.showing.formatted import MOST_CHARACTERS, formatted
from annotate.showing.hidden import has_hidden, name_hidden
from annotate.showing.structured import structured
from annotate.showing.worddiff import common, word_diff
from benchmarks.showing import SLOW_MARKDOWN, long_texts

PAYLOADS = [
    "<script>window.__pwned = 1</script>",
    '<img src=x onerror="window.__pwned = 1">',
    "[click](javascript:window.__pwned=1)",
    "[click](https://canary.invalid)",
    "![image](https://canary.invalid/x.png)",
    "<https://canary.invalid>",
    "[a]: https://canary.invalid\n\n[a]",
    '<a href="https://canary.invalid" hx-get="/x">x</a>',
    '<form id=htmx><button hx-on:click="window.__pwned = 1">x</button></form>',
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    '```html\n<iframe src="//canary.invalid"></iframe>\n```',
    '```"><script>window.__pwned = 1</script>\ncode\n```',
    "&lt;script&gt;window.__pwned = 1&lt;/script&gt;",
    "<style>*{display:none}</style>",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "{{ settings.SECRET_KEY }} {% debug %}",
]
LIVE = re.compile(r"<\s*/?\s*(script|img|a|iframe|form|button|svg|style|input|link|object)\b", re.I)


def text_of(blocks: list[Block]) -> str:
    return "".join(
        "".join(span.text for span in block.spans) + block.ending
        for block in blocks
        if isinstance(block, Paragraph)
    )


def marked(spans: list[Span]) -> list[str]:
    return [span.text for span in spans if span.mark == "differs"]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_markdown_has_no_live_element_and_no_attribute_but_classes(payload: str) -> None:
    shown = formatted(payload)

    assert shown is not None
    assert LIVE.search(shown) is None
    assert (
        re.findall(r"<[a-z0-9]+ [^>]*>", re.sub(r'<span class="code-[a-z0-9]+">', "", shown)) == []
    )


def test_markdown_that_is_not_rendered_stays_readable() -> None:
    shown = formatted("See [the page](https://canary.invalid) ![x](y.png) <b>bold</b>")

    assert shown is not None
    text = html.unescape(re.sub(r"<[^>]+>", "", shown)).strip()
    assert text == "See [the page](https://canary.invalid) ![x](y.png) <b>bold</b>"


def test_markdown_renders_lists_tables_and_code_below_the_headings_of_the_page() -> None:
    shown = formatted("# Title\n\n1. one\n\n| a |\n|---|\n| b |\n\n```python\ndef f(): ...\n```")

    assert shown is not None
    assert "<h3>Title</h3>" in shown
    assert "<ol>" in shown
    assert "<td>b</td>" in shown
    assert '<span class="code-k">def</span>' in shown


def test_clean_html_cannot_be_made_without_cleaning() -> None:
    made = CleanHtml('<p onclick="x()">a<script>b</script></p>')

    assert made == "<p>a</p>"
    assert made.__html__() == made
    assert not hasattr(made + "<script>", "__html__")
    assert not hasattr(made.replace("a", "<a>"), "__html__")


def test_text_too_long_to_be_rendered_is_shown_as_it_was_sent() -> None:
    long = "*a*" * MOST_CHARACTERS

    shown = show_pair(BlindPair("p", long, "short"), View.MARKDOWN)

    assert text_of(shown.left) == long
    assert isinstance(shown.right[0], Formatted)


@pytest.mark.parametrize("text", SLOW_MARKDOWN)
def test_markdown_made_to_be_slow_is_rendered_or_shown_plain(text: str) -> None:
    cleaned = formatted(text[:MOST_CHARACTERS])

    assert cleaned is None or not LIVE.search(cleaned)


@given(st.text(alphabet=st.sampled_from("a b\n\r\t"), max_size=60))
def test_paragraphs_joined_are_the_text(text: str) -> None:
    assert text_of(cut([Span(text)])) == text


def test_plain_view_keeps_every_character() -> None:
    text = "  a\r\n\r\n\n\nb\u202e c\t\n"

    shown = show_pair(BlindPair("p", text, "b"))

    assert text_of(shown.left) == text


def test_empty_output_is_said_in_words() -> None:
    shown = show_pair(BlindPair("p", "", " \n"))

    assert isinstance(shown.left[0], Nothing)
    assert isinstance(shown.right[0], Nothing)
    assert text_of(shown.right[1:]) == " \n"


@pytest.mark.parametrize(
    "output",
    [
        '{"name": "f", "arguments": {"a": [1, 2.50], "b": "x"}}',
        '{"name": "f", "arguments": "{\\"a\\": [1, 2.50], \\"b\\": \\"x\\"}"}',
        '[{"id": "1", "type": "function", "function": {"name": "f", "arguments": '
        '{"a": [1, 2.50], "b": "x"}}}]',
        '{"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", '
        '"arguments": {"a": [1, 2.50], "b": "x"}}}]}',
        '{"type": "tool_use", "name": "f", "input": {"a": [1, 2.50], "b": "x"}}',
    ],
)
def test_tool_calls_are_shown_by_name_and_arguments(output: str) -> None:
    assert structured(output) == [Call("f", (("a", "[1, 2.50]"), ("b", '"x"')))]


def test_message_beside_a_call_is_shown_too() -> None:
    blocks = structured(
        '{"content": "Done.", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}'
    )

    assert blocks == [Call("f", (("", '"{"'),)), Paragraph((Span("Done."),))]


def test_json_keeps_numbers_order_and_names_that_come_twice() -> None:
    blocks = structured('{"b": 1.10, "a": 12345678901234567890, "b": "line\\nend"}')

    laid_out = '{\n  "b": 1.10,\n  "a": 12345678901234567890,\n  "b": "line\nend"\n}'
    assert blocks == [Data((Span(laid_out),))]


@pytest.mark.parametrize(
    "text", ["{", "[1,]", "plain", '"text"', "3", "[" * 100_000, '{"a": "\\ud800"}', "{'a': 1}"]
)
def test_what_is_not_json_is_shown_as_it_was_sent(text: str) -> None:
    shown = show_pair(BlindPair("p", text, "b"))

    assert text_of(shown.left) == text


def test_members_unknown_to_calls_are_never_left_out() -> None:
    [block] = structured('{"name": "f", "arguments": {}, "confidence": 0.5}') or []

    assert isinstance(block, Data)
    assert '"confidence": 0.5' in block.spans[0].text


def test_chat_is_shown_as_turns_with_the_context_apart() -> None:
    turns, given_to_both = show_turns(
        '[{"role": "system", "content": "Rules."}, {"role": "user", "content": "Hi"},'
        ' {"role": "assistant", "content": "Yes?"}, {"role": "user", "content": "Help"}]'
    )

    assert [(turn.speaker, text_of(turn.blocks)) for turn in turns] == [
        ("User", "Hi"),
        ("Assistant", "Yes?"),
        ("User", "Help"),
    ]
    assert [text_of(turn.blocks) for turn in given_to_both] == ["Rules."]


def test_hidden_characters_are_named() -> None:
    assert has_hidden("a\u202eb")
    assert not has_hidden("plain\n\ttext", "é 漢字 👨\u200d👩\u200d👧 ❤\ufe0f a\xa0b")
    assert name_hidden("a\u202eb") == [
        Span("a"),
        Span("U+202E RIGHT-TO-LEFT OVERRIDE", "hidden"),
        Span("b"),
    ]


def test_word_diff_marks_the_words_that_differ() -> None:
    left, right = word_diff("the quick brown fox, jumps", "the slow brown dog jumps over")

    assert marked(left) == ["quick", "fox,"]
    assert marked(right) == ["slow", "dog", "over"]


def test_word_diff_never_makes_elements_of_the_text() -> None:
    left, _ = word_diff("<b>a</b>", "<i>a</i>")

    assert "".join(span.text for span in left) == "<b>a</b>"


@given(
    st.lists(st.sampled_from("abc"), max_size=14),
    st.lists(st.sampled_from("abc"), max_size=14),
)
def test_common_subsequence_is_the_longest(left: list[str], right: list[str]) -> None:
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            table[i + 1][j + 1] = (
                table[i][j] + 1 if one == other else max(table[i][j + 1], table[i + 1][j])
            )

    found = common(left, right)

    assert len(found) == table[-1][-1]
    assert all(left[i] == right[j] for i, j in found)
    assert found == sorted(found)
    assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)


@given(st.text(alphabet="ab \n,", max_size=40), st.text(alphabet="ab \n,", max_size=40))
def test_word_diff_keeps_both_texts(left: str, right: str) -> None:
    shown = word_diff(left, right)

    assert "".join(span.text for span in shown[0]) == left
    assert "".join(span.text for span in shown[1]) == right


@pytest.mark.parametrize("case", range(4))
def test_word_diff_of_two_outputs_of_200_000_characters_keeps_both_whole(case: int) -> None:
    left, right = long_texts()[case]
    shown = show_pair(BlindPair("p", left, right), View.DIFF)

    assert (text_of(shown.left), text_of(shown.right)) == (left, right)


def test_a_conversation_is_listed_by_what_was_asked_last() -> None:
    chat = '[{"role":"system","content":"Be kind."},{"role":"user","content":"Hello\\nthere"}]'

    assert in_short(chat, 200) == "Hello there"
    assert in_short("plain  text", 8) == "plain te"


ASKED = {"role": "user", "content": "How warm is it?"}
CALLED = (
    '{"role":"assistant","content":"Let me look.","tool_calls":[{"id":"call_1","type":"function",'
    '"function":{"name":"weather","arguments":"{\\"town\\": \\"Bern\\", \\"at\\": 1.10}"}}]}'
)
RESULT = '{"role":"tool","tool_call_id":"call_1","content":"{\\"celsius\\": 21}"}'


def conversation_of(*messages: str) -> str:
    return f"[{json.dumps(ASKED)},{','.join(messages)}]"


def test_tool_calls_of_a_conversation_are_laid_out_as_those_of_outputs() -> None:
    (asked, called, result), given = show_turns(conversation_of(CALLED, RESULT))

    assert (asked.speaker, called.speaker, result.speaker) == ("User", "Assistant", "Tool result")
    said, call = called.blocks
    assert text_of([said]) == "Let me look."
    assert call == Call("weather", (("town", '"Bern"'), ("at", "1.10")))
    assert result.blocks == [Data((Span('{"celsius": 21}'),))]
    assert given == []


@pytest.mark.parametrize(
    "message",
    [
        '{"role":"assistant","content":null,"tool_calls":[{"name":"f","arguments":{}}]}',
        '{"role":"assistant","content":null,"function_call":{"name":"f","arguments":{}}}',
        '{"role":"assistant","tool_calls":[{"name":"f","arguments":null}]}',
    ],
)
def test_a_message_that_only_calls_shows_the_call_alone(message: str) -> None:
    turns, _ = show_turns(conversation_of(message))

    assert turns[1].blocks == [Call("f", ())]


def test_calls_of_an_unknown_shape_are_shown_as_data_and_never_lost() -> None:
    odd = '{"role":"assistant","content":"x","tool_calls":[{"who":"me"}]}'

    turns, _ = show_turns(conversation_of(odd))

    assert turns[1].blocks[1] == Data((Span('[{"who": "me"}]'),))


def test_hidden_characters_of_calls_are_named_in_their_view() -> None:
    hidden = CALLED.replace("Bern", "Be\u200brn")

    turns, _ = show_turns(conversation_of(hidden), View.HIDDEN)

    shown = [span for block in turns[1].blocks for span in getattr(block, "spans", ())]
    assert any(span.mark == "hidden" for span in shown)
