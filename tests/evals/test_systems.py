"""Several studies on one scale: Bradley-Terry, clustered, and honest about what cannot be told."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from django.test import Client

from annotate.models import Study, User
from evals import deciding
from evals.gate import DEFAULT_GATES
from evals.reporting.systems import Meeting, common_ties, systems
from evals.stats.bradley_terry import bradley_terry, components
from evals.stats.errors import UndefinedError
from evals.tallies import Tally, counts_of
from tests.evals.simulation import judged_study
from tests.factories import judge_next, make_batch, make_study


def meeting(candidate: str, baseline: str, items: list[tuple[int, int, int, int]]) -> Meeting:
    """Items as (losses, ties, wins, times)."""
    study = Study(name=f"{candidate}/{baseline}", candidate_name=candidate, baseline_name=baseline)
    return Meeting(study, Tally(counts_of(items), counts_of(items)))


def test_clusters_of_one_judgement_change_nothing() -> None:
    pairs = [(0, 1, 30, 20, 10), (1, 2, 25, 25, 4), (0, 2, 40, 10, 0)]
    single = [[(1, 0, 0, a), (0, 1, 0, b), (0, 0, 1, t)] for _, _, a, b, t in pairs]

    plain, clustered = bradley_terry(3, pairs), bradley_terry(3, pairs, single)

    assert np.allclose(plain.covariance, clustered.covariance)


def test_prompts_that_agree_with_themselves_are_worth_one_judgement() -> None:
    pairs = [(0, 1, 30, 21, 9), (1, 2, 27, 24, 3), (0, 2, 39, 9, 0)]
    triple = [[(3, 0, 0, a // 3), (0, 3, 0, b // 3), (0, 0, 3, t // 3)] for _, _, a, b, t in pairs]

    plain, clustered = bradley_terry(3, pairs), bradley_terry(3, pairs, triple)

    assert np.allclose(3 * np.asarray(plain.covariance), clustered.covariance)
    assert plain.values == clustered.values


def test_the_clustered_interval_covers_where_votes_share_items() -> None:
    """400 studies of three systems, three like-minded votes an item."""
    rng = np.random.default_rng(20261121)
    truth = np.array([0.5, 0.0, -0.5])
    hits = tries = 0
    for _ in range(400):
        pairs, clusters = [], []
        for i, j in ((0, 1), (1, 2), (0, 2)):
            gaps = rng.normal(0, 1.2, 60)
            # A spread of items flattens the mean chance; keep the marginal chance exact.
            chance = 1 / (1 + np.exp(-(truth[i] - truth[j])))
            lean = np.clip(chance + 0.25 * np.tanh(gaps), 0.01, 0.99)
            won = rng.binomial(3, lean)
            table = Counter(won.tolist())
            clusters.append([(k, 3 - k, 0, times) for k, times in table.items()])
            pairs.append((i, j, int(won.sum()), int(180 - won.sum()), 0))
        found = bradley_terry(3, pairs, clusters)
        for i, j in ((0, 1), (1, 2), (0, 2)):
            gap, se = found.difference(i, j)
            hits += abs(gap - (truth[i] - truth[j])) <= 1.96 * se
            tries += 1
    assert 0.92 <= hits / tries <= 0.98


def test_clusters_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(UndefinedError, match="do not add up"):
        bradley_terry(2, [(0, 1, 3, 2, 0)], [[(1, 0, 0, 2)]])


def test_groups_are_those_between_which_no_distance_is_finite() -> None:
    assert components(3, [(0, 1, 5, 3, 0), (1, 2, 4, 0, 0)]) == [[0, 1], [2]]
    assert components(3, [(0, 1, 5, 3, 0), (1, 2, 4, 0, 1)]) == [[0, 1, 2]]


def test_an_undefeated_system_is_said_not_papered_over() -> None:
    found = systems(
        [
            meeting("Fern", "Moss", [(0, 0, 3, 10)]),
            meeting("Moss", "Reed", [(1, 0, 2, 10)]),
        ]
    )

    assert found.finding == "Not all systems can be put on one scale"
    assert "Fern" in found.reason
    assert found.alone == ("Fern",)
    assert [rank.name for scale in found.scales for rank in scale.ranks] == ["Moss", "Reed"]


def test_neighbours_that_cannot_be_told_apart_share_places() -> None:
    close = [(1, 0, 2, 10), (2, 0, 1, 10)]
    clear = [(0, 0, 3, 40), (3, 0, 0, 4)]
    found = systems(
        [
            meeting("Fern", "Moss", close),
            meeting("Fern", "Reed", clear),
            meeting("Moss", "Reed", clear),
        ]
    )

    places = {rank.name: rank.places for rank in found.scales[0].ranks}
    assert places == {"Fern": "1 to 2", "Moss": "1 to 2", "Reed": "3"}
    assert "cannot be told apart" in found.scales[0].ranks[0].not_told


def test_a_study_mirrored_gives_the_same_scale() -> None:
    there = meeting("Fern", "Moss", [(2, 0, 1, 12), (0, 1, 2, 9), (0, 0, 3, 4)])
    back = meeting("Moss", "Fern", [(1, 0, 2, 12), (2, 1, 0, 9), (3, 0, 0, 4)])
    others = [meeting("Moss", "Reed", [(1, 1, 1, 20)]), meeting("Reed", "Fern", [(2, 0, 1, 20)])]

    one, other = systems([there, *others]), systems([back, *others])

    assert [rank.name for rank in one.scales[0].ranks] == [r.name for r in other.scales[0].ranks]
    assert [rank.score for rank in one.scales[0].ranks] == pytest.approx(
        [rank.score for rank in other.scales[0].ranks]
    )


def test_the_page_leaves_out_studies_in_which_the_lead_judges(
    alice: User, lena: User, lena_client: Client
) -> None:
    for number, annotators in ((1, [alice]), (2, [alice]), (3, [alice, lena])):
        study = make_study(f"Study {number}", annotators=annotators)
        Study.objects.filter(pk=study.pk).update(
            candidate_name=f"System {number}", baseline_name=f"System {number % 3 + 1}"
        )
        make_batch(study, 2, name=f"batch {number}")
        judge_next(study, alice, 1)
        judge_next(study, alice, -1)

    page = lena_client.get("/systems/").content.decode()

    assert "Study 1" in page
    assert "Study 3" not in page
    assert "in which you judge" in page


def test_ties_are_left_out_where_all_policies_leave_them_out() -> None:
    one, other = Study(name="One"), Study(name="Other")

    assert common_ties([(one, "half"), (other, "half")]).counted == "half"
    assert common_ties([(one, "decided"), (other, "decided")]).counted == "decided"
    mixed = common_ties([(one, "decided"), (other, "half")])
    assert mixed.counted == "half"
    assert mixed.said.startswith("The policies differ: One leaves ties out.")


def test_decided_judgements_alone_make_the_scale() -> None:
    rows = {
        ("Fern", "Moss"): [(1, 1, 1, 12), (0, 3, 0, 5), (0, 1, 2, 9)],
        ("Moss", "Reed"): [(1, 0, 2, 10), (0, 2, 1, 8)],
        ("Reed", "Fern"): [(2, 0, 1, 10), (1, 2, 0, 6)],
    }
    decided = [
        Meeting(one.study, one.tally.counted("decided"))
        for one in (meeting(*names, items) for names, items in rows.items())
    ]
    bare = [
        meeting(*names, [(lost, 0, won, times) for lost, _, won, times in items if lost + won])
        for names, items in rows.items()
    ]

    found, same = systems(decided, ties="decided"), systems(bare)

    assert [rank.score for rank in found.scales[0].ranks] == pytest.approx(
        [rank.score for rank in same.scales[0].ranks]
    )
    assert [rank.places for rank in found.scales[0].ranks] == [
        rank.places for rank in same.scales[0].ranks
    ]
    assert "decided judgements" in found.scales[0].method
    assert found.scales[0].ranks[0].number.n == "116 decided comparisons"


def test_the_page_counts_ties_by_the_policies(lena: User, lena_client: Client) -> None:
    studies = [judged_study(items=12, name=f"Study {number}") for number in (1, 2, 3)]
    for number, study in enumerate(studies, start=1):
        Study.objects.filter(pk=study.pk).update(
            candidate_name=f"System {number}", baseline_name=f"System {number % 3 + 1}"
        )

    def leave_out(study: Study) -> str:
        deciding.change_policy(
            study, DEFAULT_GATES, confidence=0.95, ties="decided", made_by=lena, reason="Decided"
        )
        return lena_client.get("/systems/").text

    assert "ties as half, with" in lena_client.get("/systems/").text
    assert "The policies differ: Study 1 leaves ties out." in leave_out(studies[0])
    leave_out(studies[1])
    text = leave_out(studies[2])
    assert "among decided judgements, with" in text
    assert "Ties are left out, as the policies of these studies say." in text


@pytest.mark.shared
def test_ten_pairs_of_real_systems_make_one_scale(shared: Path) -> None:
    """Second implementation: iterated minorisation of the same counts (Hunter 2004)."""
    rows = json.loads((shared / "data" / "pandalm" / "testset-v1.json").read_text())
    votes: dict[str, Counter[tuple[int, int, int]]] = {}
    for row in rows:
        said = [int(row[f"annotator{k}"]) for k in (1, 2, 3)]
        item = (said.count(1), said.count(0), said.count(2))
        votes.setdefault(row["cmp_key"], Counter())[item] += 1
    meetings = []
    for key, items in votes.items():
        first, second = key.split("_")
        meetings.append(meeting(second, first, [(*said_of, n) for said_of, n in items.items()]))

    found = systems(meetings)

    names = list(found.names)
    wins = np.zeros((len(names), len(names)))
    for one in meetings:
        i, j = (names.index(n) for n in (one.study.candidate_name, one.study.baseline_name))
        wins[i, j] += one.tally.wins + one.tally.ties / 2
        wins[j, i] += one.tally.losses + one.tally.ties / 2
    strength = np.ones(len(names))
    for _ in range(10_000):
        games = wins + wins.T
        strength = wins.sum(axis=1) / (games / np.add.outer(strength, strength)).sum(axis=1)
        strength /= np.exp(np.log(strength).mean())
    expected = dict(zip(names, np.log(strength), strict=True))
    (scale,) = found.scales
    for rank in scale.ranks:
        assert rank.score == pytest.approx(expected[rank.name], abs=1e-8)
        assert re.fullmatch(r"\d( to \d)?", rank.places)
