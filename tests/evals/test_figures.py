"""Figures: drawn on the server from the counts of the pages, in both looks, with their tables."""

import re
from datetime import datetime
from statistics import stdev
from xml.etree import ElementTree

import pytest
from django.test import Client

from annotate.models import Study, User
from evals import queries
from evals.figures import SHADES, SIZES, THEMES, Figure, NoFigure, draw
from evals.figures.drawing import specification
from evals.figures.themes import TOKENS, read_tokens
from evals.queries.looks import looks
from evals.queries.state import state_of
from evals.reporting.figures import FIGURES, Asked, figure
from evals.reporting.watching import whose
from evals.stats.anytime import betting_limits
from tests.factories import judge_next, make_batch, make_study, make_user, rows_of

HOSTILE = '<script>alert(1)</script> "{{ x }}" &amp; \u202e'


@pytest.fixture
def judged(alice: User, bob: User) -> Study:
    """36 items of all lengths, two judgements on each, one annotator with a hostile name."""
    mallory = make_user(HOSTILE)
    study = make_study("Support replies", annotators=[alice, mallory], overlap=2)
    rows = [
        row | {"candidate_output": "word " * (1 + number % 7 * 3), "baseline_output": "word " * 9}
        for number, row in enumerate(rows_of(36))
    ]
    make_batch(study, rows)
    for number in range(36):
        judge_next(study, alice, (-1, 0, 1)[number % 3])
        judge_next(study, mallory, (-1, 0, 1)[number % 2 + 1])
    return study


def asked(study: Study) -> Asked:
    return Asked(study, None, 0.6, 0.95)


def test_colours_are_those_of_the_pages() -> None:
    tokens = read_tokens(TOKENS.read_text())

    assert tokens["ink"] == ("#16181c", "#e9eaec")
    assert THEMES["dark"]["candidate"] == tokens["candidate"][1]
    assert THEMES["light"].config["background"] == tokens["sheet"][0]


@pytest.mark.parametrize("key", sorted(FIGURES))
def test_each_figure_is_drawn_in_every_look_and_fetches_nothing(judged: Study, key: str) -> None:
    found = figure(key, asked(judged))
    assert isinstance(found, Figure)

    for shade in SHADES:
        for size in SIZES:
            chart = found.build(THEMES[shade], size)
            drawn = draw(chart, THEMES[shade], "svg")
            root = ElementTree.fromstring(drawn)  # noqa: S314 - our own drawing
            assert root.tag.endswith("svg")
            assert THEMES[shade]["sheet"].encode() in drawn
            assert b"<script" not in drawn
            assert b"url" not in str(specification(chart, THEMES[shade])).encode()
    assert draw(found.build(THEMES["light"], "wide"), THEMES["light"], "png")[:4] == b"\x89PNG"


@pytest.mark.parametrize("key", sorted(FIGURES))
def test_a_study_without_judgements_says_why_nothing_is_drawn(
    study: Study, lena_client: Client, key: str
) -> None:
    found = figure(key, asked(study))
    assert isinstance(found, NoFigure)

    page = lena_client.get(f"/studies/{study.slug}/figures/{key}").content.decode()
    assert found.reason in page
    assert lena_client.get(f"/studies/{study.slug}/figures/{key}.svg").status_code == 404


def test_the_table_has_what_is_drawn(judged: Study) -> None:
    found = figure("outcomes", asked(judged))
    assert isinstance(found, Figure)

    # alice: 12 of each; the other: 18 ties and 18 wins, whatever the side.
    name, wins, ties, both_bad, losses = found.rows[0]
    assert name == "Overall"
    assert int(wins) + int(ties) + int(both_bad) + int(losses) == 72
    assert int(ties) == 30


def test_looks_are_running_means_of_complete_items(judged: Study) -> None:
    said: dict[int, list[float]] = {}
    ended: dict[int, datetime] = {}
    for judgement in judged.judgements.select_related("task"):
        score = (judgement.preference > 0) + (judgement.preference == 0) / 2
        said.setdefault(judgement.task.item_id, []).append(score)
        ended[judgement.task.item_id] = max(
            ended.get(judgement.task.item_id, judgement.created_at), judgement.created_at
        )
    complete = [item for item, scores in said.items() if len(scores) == 2]
    complete.sort(key=lambda item: ended[item])
    means = [sum(said[item]) / 2 for item in complete]

    found = looks(judged)

    assert [look.n for look in found] == list(range(1, len(complete) + 1))
    for look in found:
        assert look.mean == pytest.approx(sum(means[: look.n]) / look.n)
        told = dict(zip(look.scores.tolist(), look.counts.tolist(), strict=True))
        assert told == {score: means[: look.n].count(score) for score in set(means)}


def test_looks_at_decided_judgements_leave_out_items_of_ties_alone(judged: Study) -> None:
    said: dict[int, list[int]] = {}
    for judgement in judged.judgements.select_related("task"):
        said.setdefault(judgement.task.item_id, []).append(judgement.preference)
    decided = [[vote for vote in votes if vote] for votes in said.values() if len(votes) == 2]
    scores = [sum(vote > 0 for vote in votes) / len(votes) for votes in decided if votes]
    assert len(scores) < len(decided)

    found = looks(judged, ties="decided")[-1]

    assert found.n == len(scores)
    assert found.mean == pytest.approx(sum(scores) / len(scores))
    assert found.sd == pytest.approx(stdev(scores))


def test_watching_speaks_of_these_annotators_where_they_are_few(judged: Study) -> None:
    found = figure("watched", asked(judged))
    assert isinstance(found, Figure)

    assert "for these annotators (2)" in found.method
    assert whose(queries.sided_votes(judged).overall, 0.95, "half").margin is None


@pytest.mark.django_db
def test_watching_has_in_it_how_far_annotators_differ() -> None:
    people = [make_user(f"Person {number}") for number in range(6)]
    study = make_study("Many people", annotators=people)
    make_batch(study, 60)
    for person in people:
        for turn in range(10):
            judge_next(study, person, 1 if turn < 7 else -1)

    found = figure("watched", asked(study))

    assert isinstance(found, Figure)
    assert "for annotators like these 6" in found.method
    once, always = ends(found.rows[-1][2]), ends(found.rows[-1][3])
    assert always[0] < once[0] < once[1] < always[1]
    last = looks(study)[-1]
    alone = betting_limits(last.scores, [last.counts])
    assert always[1] - always[0] > 100 * (alone.high[0] - alone.low[0]) + 1


def ends(cell: str) -> list[float]:
    return [float(number) for number in re.findall(r"[\d.]+", cell)]


def test_watching_is_wider_than_looking_once(judged: Study) -> None:
    found = figure("watched", asked(judged))
    assert isinstance(found, Figure)

    last = found.rows[-1]
    once, always = (
        [float(number) for number in re.findall(r"[\d.]+", cell)] for cell in (last[2], last[3])
    )
    assert always[0] < once[0] < once[1] < always[1]


def test_a_file_is_drawn_anew_only_when_something_was_judged(
    judged: Study,
    alice: User,
    lena_client: Client,
    fresh_cache: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn = []

    def counting(*args: object) -> bytes:
        drawn.append(args)
        return draw(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("evals.views.drawing.draw", counting)
    address = f"/studies/{judged.slug}/figures/outcomes.svg"
    first, again = lena_client.get(address), lena_client.get(address)
    assert (len(drawn), first.content) == (1, again.content)

    before = state_of(judged)
    make_batch(judged, 1, name="later")
    judge_next(judged, alice, 1)
    assert state_of(judged) != before
    assert lena_client.get(address).content != first.content
    assert len(drawn) == 2


def test_a_page_shows_words_table_and_files_and_escapes_names(
    judged: Study, lena_client: Client
) -> None:
    page = lena_client.get(f"/studies/{judged.slug}/figures/pairs").content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    files = re.findall(r'href="([^"]+download=1)"', page)
    assert len(files) == 4
    for file in files:
        answer = lena_client.get(file.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert "attachment" in answer["Content-Disposition"]


def test_unknown_figures_and_looks_are_not_there(judged: Study, lena_client: Client) -> None:
    for path in ("nothing", "nothing.svg", "outcomes.gif", "outcomes.svg?shade=pink"):
        assert lena_client.get(f"/studies/{judged.slug}/figures/{path}").status_code == 404
