"""Suites: what comes in, as which version, and what is refused."""

import hashlib
import json
from typing import Any

import pytest

from annotate.models import Study, User
from evals.formats import SHIPPED, CaseRecord, Expected, ScorerSpec
from evals.models import Case, Suite
from evals.suites import (
    NoSuiteError,
    SuiteInUseError,
    SuiteNameError,
    check_suite,
    delete_suite,
    import_suite,
    make_suite_of,
    overlap_of,
    suite_named,
)
from tests.evals.factories import make_run, make_suite
from tests.evals.suite_inputs import (
    BFCL,
    BFCL_ANSWERS,
    CASES,
    CSV,
    FINE_TUNING,
    MT_BENCH,
    OPENAI_EVALS,
    YAML,
    cases,
    lines,
    source,
)

pytestmark = pytest.mark.django_db


def taken(records: list[Any] | None = None, name: str = "sums") -> Suite:
    suite = import_suite(cases(records), name=name).suite
    assert suite is not None
    return suite


def test_a_suite_comes_in_whole_and_as_it_was_written(adam: User) -> None:
    got = import_suite(cases(), name="talk", title="Small talk", imported_by=adam)

    assert got.is_new
    suite = got.suite
    assert suite is not None
    assert (suite.name, suite.version, suite.title) == ("talk", 1, "Small talk")
    assert (suite.case_count, suite.format, suite.file_names) == (3, "suite", ["cases.jsonl"])
    assert suite.imported_by == adam
    one, two, three = suite.cases.order_by("position")
    assert [one.position, two.position, three.position] == [1, 2, 3]
    assert (one.case_id, one.category, one.split) == ("c-1", "sums", "target")
    assert one.messages == [{"role": "user", "content": "What is 6 times 7?"}]
    assert one.expected == {"answers": ["42"]}
    assert one.scorer == {"name": "exact_match", "parameters": {}}
    assert two.messages == CASES[1]["messages"]
    assert (two.split, two.scorer) == ("general", CASES[1]["scorer"])
    assert three.tools == CASES[2]["tools"]
    (call,) = three.expected["tool_calls"]
    assert call == {"name": "get_weather", "arguments": {"city": {"any_of": ["Oslo"]}}}


def test_the_digest_is_that_of_the_cases_as_canonical_json() -> None:
    record = CaseRecord("c-1", ({"role": "user", "content": "Grüße?"},), Expected(("Hallo",)))
    line = (
        '{"category":"","expected":{"answers":["Hallo"]},"id":"c-1","messages":[{"content":"Grüße?"'
        ',"role":"user"}],"metadata":{},"scorer":null,"split":"target","tools":[]}\n'
    )

    suite = make_suite_of([record], "greetings")

    assert suite.digest == hashlib.sha256(line.encode()).hexdigest()


def test_the_same_cases_under_the_same_name_are_the_version_there_is() -> None:
    first = import_suite(cases(), name="talk")
    again = import_suite(cases(name="renamed.jsonl"), name="talk", title="Another title")

    assert (again.suite, again.is_new) == (first.suite, False)
    assert again.report.digest == first.report.digest
    assert Suite.objects.count() == 1
    assert Case.objects.count() == 3


def test_how_a_file_spells_its_cases_is_no_matter() -> None:
    spelled = [dict(reversed(list(CASES[0].items())))]

    assert taken([CASES[0]]).digest == taken(spelled).digest


def test_other_cases_under_the_same_name_are_the_next_version() -> None:
    one, two = taken(CASES), taken(CASES[:2])
    three = taken(list(reversed(CASES)))

    assert [one.version, two.version, three.version] == [1, 2, 3]
    assert three.title == "Sums"
    assert taken(CASES) == one


def test_the_same_cases_under_another_name_are_another_suite() -> None:
    assert taken(CASES, "one").digest == taken(CASES, "two").digest
    assert Suite.objects.count() == 2


def test_a_new_version_keeps_the_title_unless_another_is_given() -> None:
    import_suite(cases(), name="talk", title="Small talk")

    kept = import_suite(cases(CASES[:1]), name="talk").suite
    changed = import_suite(cases(CASES[:2]), name="talk", title="Big talk").suite

    assert kept is not None
    assert changed is not None
    assert (kept.title, changed.title) == ("Small talk", "Big talk")


@pytest.mark.parametrize("name", ["a b", "a/b", "", "ä", "x" * 81, "a@2", "a\n"])
def test_a_name_that_no_command_could_say_is_refused(name: str) -> None:
    with pytest.raises(SuiteNameError):
        make_suite_of([CaseRecord("1", (), Expected())], name)
    assert not Suite.objects.exists()


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("cases.jsonl", "cases"),
        ("bfcl v4.simple (1).json", "bfcl-v4-simple-1"),
        ("C:\\suites\\Grüße.csv", "Gru-e"),
        ("…", "suite"),
        ("/etc/passwd", "passwd"),
    ],
)
def test_without_a_name_a_suite_is_called_after_its_file(file: str, name: str) -> None:
    suite = import_suite(cases([{"prompt": "Hi", "expected": "x"}], file)).suite

    assert suite is not None
    assert suite.name == name


FORMATS = {
    "openai_evals": ([source(lines(OPENAI_EVALS), "samples.jsonl")], 2, {"uncategorised": 2}),
    "fine_tuning": ([source(lines(FINE_TUNING), "train.jsonl")], 1, {"uncategorised": 1}),
    "mt_bench": ([source(lines(MT_BENCH), "question.jsonl")], 2, {"writing": 1, "maths": 1}),
    "bfcl": ([source(lines(BFCL_ANSWERS), "a"), source(lines(BFCL), "q")], 1, {"simple": 1}),
    "suite": ([source(CSV, "cases.csv")], 2, {"talk": 1, "sums": 1}),
    "yaml": ([source(YAML, "cases.yaml")], 2, {"sums": 1, "uncategorised": 1}),
    "json": ([source(json.dumps(CASES), "cases.json")], 3, {"sums": 1, "talk": 1, "tools": 1}),
}


@pytest.mark.parametrize("format", FORMATS)
def test_formats_that_people_have_are_recognised(format: str) -> None:
    sources, count, categories = FORMATS[format]

    got = import_suite(sources, name=format)

    assert got.report.errors == []
    assert got.suite is not None
    assert got.suite.cases.count() == got.report.cases == count
    assert got.report.categories == categories
    assert got.suite.format == {"yaml": "suite", "json": "suite"}.get(format, format)


def test_of_questions_in_several_turns_the_first_is_asked() -> None:
    got = import_suite([source(lines(MT_BENCH))], name="mt")

    assert got.suite is not None
    one, two = got.suite.cases.order_by("position")
    assert one.messages == [{"role": "user", "content": "Write a post."}]
    assert one.metadata == {"later_turns": ["Make it shorter."]}
    # A reference is for judges: equality with it is no measure.
    assert (two.expected, two.scorer, two.metadata) == ({}, None, {"reference": ["2"]})


def test_a_format_can_be_chosen_against_what_was_recognised() -> None:
    record = {
        "messages": [{"role": "user", "content": "A?"}, {"role": "assistant", "content": "B"}]
    }

    lesson = check_suite([source(lines([record]))]).examples[0]
    asked = check_suite([source(lines([record]))], format="suite").examples[0]

    assert (len(lesson.messages), lesson.expected.answers) == (1, ("B",))
    assert (len(asked.messages), asked.expected.answers) == (2, ())


FAULTY: list[tuple[dict[str, Any], str, str]] = [
    ({"scorer": "rouge"}, "scorer", "no scorer is called 'rouge'. Scorers: bleu,"),
    (
        {"scorer": {"name": "contains", "parameters": {"cas": "fold"}}},
        "scorer",
        "contains has no parameter 'cas'. It takes: form, case,",
    ),
    (
        {"scorer": "rouge_l", "parameters": {"pass_at": 3}},
        "scorer",
        "rouge_l: 'pass_at' is 3. It must be a number from 0 to 1 or null.",
    ),
    (
        {"scorer": {"name": "regex", "parameters": {"pattern": "(?=a)"}}},
        "scorer",
        "look-ahead and look-behind are not supported",
    ),
    ({"scorer": "regex", "expected": "(a"}, "expected", "a ( is not closed. Add a )"),
    (
        {"scorer": {"name": "json_schema", "parameters": {"schema": {"type": "objct"}}}},
        "scorer",
        "Correct the schema.",
    ),
    ({"expected": {"schema": {"type": 12}}}, "expected", "the schema cannot be used"),
    (
        {"scorer": "numeric", "expected": "soon"},
        "expected",
        "the expected answer 'soon' is no number. Correct what is expected, or choose",
    ),
    (
        {"scorer": "tool_calls"},
        "expected",
        "the case does not say which calls are right. Correct what is expected",
    ),
    (
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "x"}}}]},
        "tools",
        "f: the schema cannot be used",
    ),
    ({"tools": [{"type": "web_search"}]}, "tools", "Tool 1 has no name."),
]


@pytest.mark.parametrize(("fault", "column", "words"), FAULTY)
def test_what_could_never_be_scored_is_told_with_its_line(
    fault: dict[str, Any], column: str, words: str
) -> None:
    good = {"prompt": "Hi", "expected": "x"}

    got = import_suite(cases([good, {"prompt": "Ho", "expected": "x", **fault}, good]), name="bad")

    assert got.suite is None
    (error,) = got.report.errors
    assert (error.line, error.row, error.column) == (2, 2, column)
    assert error.message.startswith(f"Line 2, column {column}: ")
    assert words in error.message
    assert not Suite.objects.exists()
    assert not Case.objects.exists()


def test_every_fault_is_told_at_once_in_the_order_of_the_lines() -> None:
    records = [{"prompt": "Hi", "expected": "x", **fault} for fault, _, _ in FAULTY]
    text = lines(records[:3]) + "{broken\n" + lines(records[3:]) + '{"prompt": ""}\n'

    report = check_suite([source(text)])

    assert [error.line for error in report.errors] == list(range(1, len(FAULTY) + 3))
    assert report.error_count == len(FAULTY) + 2
    assert not report.accepted


def test_many_faults_are_counted_and_the_first_hundred_told() -> None:
    report = check_suite(cases([{"prompt": f"{n}?", "scorer": "rouge_x"} for n in range(250)]))

    assert (len(report.errors), report.error_count) == (100, 250)


def test_warnings_say_what_can_be_imported_and_perhaps_should_not() -> None:
    records = [
        {"prompt": "Hi", "expected": "x"},
        {"prompt": "Hi", "expected": "y"},
        {"prompt": "Ho", "scorer": "exact_match"},
        {"prompt": "Open?"},
        {"prompt": "Say it.", "expected": "x", "scorer": "rouge_l"},
        {
            "prompt": "Say it well.",
            "expected": "x",
            "scorer": "rouge_l",
            "parameters": {"pass_at": 0.5},
        },
    ]

    report = check_suite(cases(records))

    told = {warning.code: warning.message for warning in report.warnings}
    assert report.accepted
    assert sorted(told) == [
        "few_cases",
        "no_pass_mark",
        "no_scorer",
        "nothing_expected",
        "repeated_prompt",
    ]
    assert told["repeated_prompt"].startswith("Line 2: ")
    assert told["nothing_expected"].startswith("Line 3: ")
    assert told["no_scorer"].startswith("Line 4: ")
    assert told["no_pass_mark"].startswith("Line 5: ")
    assert "uncategorised (6)" in told["few_cases"]


def test_the_same_question_with_other_tools_is_another_question() -> None:
    tool = CASES[2]["tools"]
    records = [{"prompt": "Hi", "expected": "x"}, {"prompt": "Hi", "expected": "x", "tools": tool}]

    codes = {warning.code for warning in check_suite(cases(records)).warnings}

    assert "repeated_prompt" not in codes


def test_categories_with_enough_cases_are_not_warned_of() -> None:
    records = [{"prompt": f"{n}?", "expected": "x", "category": "big"} for n in range(20)]

    assert check_suite(cases(records)).warnings == []


def test_a_case_whose_scorer_needs_nothing_expected_is_no_matter() -> None:
    records = [
        {"prompt": f"{n}?", "scorer": scorer} for n, scorer in enumerate(["json_valid"] * 20)
    ]

    assert check_suite(cases(records)).warnings == []


def test_an_empty_file_and_no_file_are_refused_in_words() -> None:
    assert not check_suite([source("")]).accepted
    (error,) = check_suite([]).errors
    assert error.message == "No file was given."


def test_a_check_writes_nothing_and_tells_the_digest() -> None:
    report = check_suite(cases())

    assert not Suite.objects.exists()
    assert import_suite(cases(), name="talk").report.digest == report.digest != ""


def test_progress_is_told_while_a_large_suite_is_read() -> None:
    seen: list[int] = []

    check_suite(cases([{"prompt": f"{n}?"} for n in range(1200)]), progress=seen.append)

    assert seen == [500, 1000]


def test_a_suite_is_made_of_what_other_files_hold() -> None:
    records = [
        CaseRecord(
            f"case-{n}",
            ({"role": "user", "content": f"{n}?"},),
            Expected((str(n),)),
            scorer=ScorerSpec("numeric"),
        )
        for n in range(3)
    ]

    made = make_suite_of(iter(records), "outputs", "From outputs", "inspect", ["log.eval"])

    assert (made.title, made.format, made.file_names) == ("From outputs", "inspect", ["log.eval"])
    assert make_suite_of(records, "outputs") == made
    with pytest.raises(ValueError, match="at least one case"):
        make_suite_of([], "nothing")


def test_suites_are_found_by_name_and_by_version() -> None:
    one, two = taken(CASES), taken(CASES[:1])

    assert suite_named("sums") == two
    assert suite_named("sums@1") == one
    with pytest.raises(NoSuiteError, match=r"has no version 3\. Versions: 1, 2\."):
        suite_named("sums@3")


@pytest.mark.parametrize("text", ["nothing", "nothing@1", "", "@", "a@b", "a@2@3", "a@99999999999"])
def test_what_is_no_suite_is_told_with_those_there_are(text: str) -> None:
    taken(CASES)

    with pytest.raises(NoSuiteError) as told:
        suite_named(text)
    if text.startswith("nothing"):
        assert "No suite is called 'nothing'. Suites: general_knowledge, side_by_side, " in str(
            told.value
        )
        assert "sums" in str(told.value)


def test_shipped_suites_come_in_when_they_are_first_asked_for() -> None:
    for shipped in SHIPPED:
        suite = suite_named(shipped.name)
        assert (suite.name, suite.version, suite.title) == (shipped.name, 1, shipped.title)
        assert suite.cases.count() == suite.case_count > 0

    assert suite_named(SHIPPED[0].name).version == 1
    assert Suite.objects.count() == len(SHIPPED)


def test_a_version_that_was_never_run_may_go_with_its_cases() -> None:
    one, two = taken(CASES), taken(CASES[:1])

    delete_suite(two)

    assert list(Suite.objects.all()) == [one]
    assert Case.objects.count() == 3


def test_a_version_that_was_run_stays(study: Study) -> None:
    suite = make_suite()
    make_run(study, suite)

    with pytest.raises(SuiteInUseError, match="was run"):
        delete_suite(suite)

    assert Suite.objects.filter(pk=suite.pk).exists()
    assert suite.cases.count() == 6


def test_prompts_that_were_trained_on_are_found_however_they_are_spaced() -> None:
    trained = [
        {"role": "system", "content": "Be terse."},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": "what IS 6\u00a0times\n7?"},
        {"role": "assistant", "content": "42"},
    ]
    training = source(lines([{"messages": trained}, *FINE_TUNING]) + "{broken\n", "train.jsonl")

    found = overlap_of(cases(), training)

    assert (found.cases, found.of, found.examples, found.unread) == (1, 3, 2, 1)
    assert found.ids == ["c-1"]
