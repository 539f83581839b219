"""Planning: items and judgements for an answer, and what a study as it is could show."""

import math
import re
from xml.etree import ElementTree

import pytest
from django.test import Client
from scipy.stats import binom

from annotate.models import Study, User
from evals import deciding, queries
from evals.gate import DEFAULT_GATES
from evals.stats.errors import UndefinedError
from evals.stats.planning import detectable_share, power_of, votes_for_width
from evals.stats.proportions import wilson_interval
from tests.evals.simulation import Leaning, judged_study


def test_power_is_what_scipy_says() -> None:
    for n, p0, p1, tail in ((50, 0.5, 0.6, 0.025), (157, 0.6, 0.7, 0.05), (617, 0.6, 0.65, 0.05)):
        critical = next(k for k in range(n + 2) if binom.sf(k - 1, n, p0) <= tail)
        assert power_of([n], p0, p1, tail)[0] == pytest.approx(binom.sf(critical - 1, n, p1))


def test_power_is_a_saw_that_stays_above_80_percent_from_210() -> None:
    # Exact two-sided 5 %, 60 % against 50 %: first at 199 votes, for good from 210.
    powers = dict(enumerate(power_of(range(150, 400), 0.5, 0.6, 0.025), start=150))

    assert min(n for n, power in powers.items() if power >= 0.8) == 199
    assert max(n for n, power in powers.items() if power < 0.8) == 209


def test_what_can_be_detected_has_just_the_power() -> None:
    share = detectable_share(0.5, 200, 0.025)

    assert power_of([200], 0.5, share, 0.025)[0] == pytest.approx(0.8, abs=1e-6)
    with pytest.raises(UndefinedError, match="show nothing"):
        detectable_share(0.5, 4, 0.025)


def test_a_wanted_width_is_reached_and_no_earlier() -> None:
    n = votes_for_width(0.6, 0.05)

    def half(votes: int) -> float:
        found = wilson_interval(round(0.6 * votes), votes)
        assert found.low is not None
        assert found.high is not None
        return (found.high - found.low) / 2

    assert n == pytest.approx(366, abs=1)
    assert half(n - n % 5 + 5) <= 0.05 < half(n - n % 5 - 5)


def _rows(page: str) -> dict[int, tuple[int, int]]:
    """Overlap: items, judgements."""
    table = page.split("Judgements an item</th>")[1].split("</table>")[0]
    rows = re.findall(
        r"<th scope=\"row\">(?:<b>)?(\d+).*?num\">(.*?)</td>.*?num\">(.*?)</td>", table
    )
    return {
        int(overlap): tuple(int(re.sub(r"\D", "", cell)) for cell in cells)  # type: ignore[misc]
        for overlap, *cells in rows
    }


def test_more_items_say_more_than_more_judgements(study: Study, lena_client: Client) -> None:
    answer = lena_client.get(
        f"/studies/{study.slug}/planning",
        {"expected": "60", "threshold": "50", "overlap": "3", "correlation": "0.5"},
    )
    rows = _rows(answer.content.decode())

    # 210 independent votes (exact two-sided 5 %, the n from which the power stays).
    assert rows[1] == (210, 210)
    assert rows[3] == (140, 420)
    assert rows[1][1] < rows[3][1] < rows[5][1]


def test_a_study_plans_with_its_own_gate_and_overlap(study: Study, lena_client: Client) -> None:
    page = lena_client.get(f"/studies/{study.slug}/planning").content.decode()

    assert 'name="threshold" value="60.0"' in page
    assert 'name="overlap" value="3"' in page
    curve = re.search(r'<img src="([^"]+curve.svg[^"]*)"', page)
    assert curve
    drawn = lena_client.get(curve[1].replace("&amp;", "&"))
    assert ElementTree.fromstring(drawn.content).tag.endswith("svg")  # noqa: S314 - our own


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"expected": "55", "threshold": "60"}, "has to lie above"),
        ({"expected": "60.1", "threshold": "60"}, "more than 1,000,000"),
        ({"overlap": "0"}, "greater than or equal to 1"),
        ({"expected": "NaN"}, "Enter a number"),
        ({"correlation": "2"}, "less than or equal to 1"),
    ],
)
def test_what_cannot_be_planned_is_said(
    study: Study, lena_client: Client, asked: dict[str, str], said: str
) -> None:
    page = lena_client.get(f"/studies/{study.slug}/planning", asked).content.decode()

    assert said in page


def test_htmx_gets_the_region_alone(study: Study, lena_client: Client) -> None:
    region = lena_client.get(f"/studies/{study.slug}/planning", headers={"HX-Request": "true"})

    assert region.content.decode().lstrip().startswith('<div id="planned"')


def leave_ties_out(study: Study, lena: User) -> None:
    deciding.change_policy(
        study, DEFAULT_GATES, confidence=0.95, ties="decided", made_by=lena, reason="Decided"
    )


def test_where_ties_are_left_out_a_plan_adds_them(lena: User, lena_client: Client) -> None:
    study = judged_study(items=40, annotators=4, overlap=2, leaning=Leaning(0.5, tie=0.3))
    address = f"/studies/{study.slug}/planning"
    asked = {"expected": "60", "threshold": "50", "overlap": "2", "correlation": "0"}
    half = lena_client.get(address, asked).text
    leave_ties_out(study, lena)

    text = lena_client.get(address, asked).text

    assert "Ties count as half a win" in half
    assert _rows(half)[1] == (210, 210)
    tally = queries.sided_votes(study).overall
    assert 0.1 < tally.ties / tally.n < 0.5
    # Judgements without likeness: 210 decided ones, and the ties that come with them.
    judgements = math.ceil(210 / (1 - tally.ties / tally.n))
    assert _rows(text)[1] == (judgements, judgements)
    assert f"{100 * tally.ties / tally.n:.1f}\u202f% were ties ({tally.n} judgements)" in text
    decided = tally.without_ties()
    assert f"{decided.n} decided judgements of {decided.item_count} items are worth" in text


def test_before_anything_is_judged_a_plan_says_that_ties_are_to_be_added(
    study: Study, lena: User, lena_client: Client
) -> None:
    leave_ties_out(study, lena)

    text = lena_client.get(f"/studies/{study.slug}/planning").text

    assert "add the ties you expect" in text
