"""What a lead sees: findings with their numbers, or the reason why there are none."""

import re
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse

from annotate.claiming import claim_task, skip_task
from annotate.judging import Answers, flag_task, record_judgement, submission_key
from annotate.models import Item, Study, Task, User
from evals import queries
from evals.reporting.agreement.counted import read
from evals.reporting.annotators import in_time
from evals.reporting.compared import p_words
from evals.stats.kappa import cohen_kappa
from evals.stats.preference import ClusteredRate
from evals.stats.wording import coefficient
from tests.conftest import client_of
from tests.counting import statements
from tests.evals.simulation import Leaning, judged_study, mirror
from tests.factories import assign, judge_next, make_batch, make_study, make_user

pytestmark = pytest.mark.django_db

PAGES = (
    "study", "progress", "annotators", "preference", "agreement", "agreement_parts",
    "agreement_pairs", "disputed", "decision",
)  # fmt: skip


@pytest.fixture
def study() -> Study:
    return judged_study(items=30, annotators=5)


def page(client: Client, name: str, study: Study, query: str = "") -> str:
    response = client.get(reverse(name, args=[study.slug]) + query)
    assert response.status_code == 200, name
    return response.content.decode()


def h1(text: str) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", text, re.DOTALL)
    assert found
    return re.sub(r"<[^>]+>", "", found[1]).strip()


@pytest.mark.parametrize("name", PAGES)
def test_every_page_shows_a_finding(name: str, study: Study, lena_client: Client) -> None:
    text = page(lena_client, name, study)

    assert h1(text)
    assert "None" not in re.sub(r"<[^>]+>", "", text)
    assert "nan" not in re.sub(r"<[^>]+>", " ", text).lower().split()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_judged_is_no_zero(name: str, lena_client: Client) -> None:
    study = make_study()
    make_batch(study, 3)

    text = page(lena_client, name, study)

    assert "0.0\u202f%" not in text
    assert "0.00" not in text


@pytest.mark.parametrize("name", PAGES)
def test_a_study_without_items_has_its_pages(name: str, lena_client: Client) -> None:
    assert h1(page(lena_client, name, make_study(state="draft")))


def test_who_chooses_one_side_is_named_on_the_overview(lena_client: Client) -> None:
    study = judged_study(items=40, annotators=2, overlap=2, leaning=Leaning(left=1))

    text = page(lena_client, "study", study)

    for name in ("Simulated annotator 0", "Simulated annotator 1"):
        assert f"{name} chooses left 100.0\u202f% of the time" in text


def test_each_annotator_has_a_median_time_with_its_interval(
    study: Study, lena_client: Client
) -> None:
    text = page(lena_client, "annotators", study)
    for person in User.objects.filter(judgements__study=study).distinct():
        times = sorted(
            study.judgements.filter(annotator=person).values_list("active_ms", flat=True)
        )
        # 18 judgements each: the sign test at 5 % leaves the 5th and the 14th as ends.
        assert len(times) == 18
        ends = [in_time(times[place] / 1000) for place in (4, 13)]
        assert in_time((times[8] + times[9]) / 2000) in text
        assert " to ".join(ends) in text


@pytest.mark.parametrize("name", [*PAGES, "policy"])
def test_annotators_and_strangers_see_no_result(name: str, study: Study, charlie: User) -> None:
    annotator = study.assignments.first()
    assert annotator is not None

    for user in (annotator.annotator, charlie):
        assert client_of(user).get(reverse(name, args=[study.slug])).status_code == 404


@pytest.mark.parametrize("name", [*PAGES, "policy"])
def test_a_lead_who_judges_sees_no_result(name: str, study: Study, lena: User) -> None:
    assign(study, lena)

    response = client_of(lena).get(reverse(name, args=[study.slug]))

    assert response.status_code == 403
    assert "%" not in re.sub(r"<[^>]+>", "", response.content.decode())


def test_unknown_parameters_are_refused(study: Study, lena_client: Client) -> None:
    for query in ("?only=mine", "?weights=cubic"):
        url = reverse("agreement", args=[study.slug]) + query
        assert lena_client.get(url).status_code == 400
    for query in ("?page=0", "?page=x", "?show=all"):
        url = reverse("disputed", args=[study.slug]) + query
        assert lena_client.get(url).status_code == 400


def test_preference_shows_counts_rate_and_interval(study: Study, lena_client: Client) -> None:
    tally = queries.sided_votes(study).overall
    rate = tally.win_rate()

    text = page(lena_client, "preference", study)

    assert f"Candidate <b>{tally.wins}</b>" in text
    assert f"Tie <b>{tally.plain_ties}</b>" in text
    assert f"Both bad <b>{tally.both_bad}</b>" in text
    assert f"Baseline <b>{tally.losses}</b>" in text
    assert f"{100 * rate.value:.1f}<small>" in text  # type: ignore[union-attr]
    assert "90 judgements of 30 items by 5 annotators" in text


def test_preference_tests_the_win_rate_beside_its_interval(
    study: Study, lena_client: Client
) -> None:
    rate = queries.sided_votes(study).overall.win_rate()
    assert isinstance(rate, ClusteredRate)

    text = page(lena_client, "preference", study)

    tests = text.split("Could it be chance?</h2>")[1].split("</section>")[0]
    assert "50\u202f%, no preference" in tests
    assert "60\u202f%, the gate" in tests
    for null in (0.5, 0.6):
        assert p_words(rate.p_against(null)).replace("<", "&lt;") in tests
    assert "Two-sided, clustered by item and by annotator, t with 4 degrees of freedom." in tests
    assert "sign test" not in tests
    assert "corrected by Holm over two criteria and, by themselves, over two categories" in text
    assert "Mean strength" in text
    assert "much better 1, a tie" in text


def test_swapped_systems_mirror_the_win_rate_and_keep_agreement(study: Study) -> None:
    twin = mirror(study)

    here, there = queries.sided_votes(study), queries.sided_votes(twin)
    mine, theirs = here.overall.win_rate(), there.overall.win_rate()

    assert mine.value == pytest.approx(1 - theirs.value)  # type: ignore[union-attr]
    assert mine.low == pytest.approx(1 - theirs.high)  # type: ignore[union-attr, operator]
    assert here.left.totals == there.left.totals
    nominal = [v.overall.agreement()["alpha_nominal"].as_json() for v in (here, there)]
    assert nominal[0] == nominal[1]
    assert {p: t.totals for p, t in here.by_category().items()} == {
        p: t.totals[::-1] for p, t in there.by_category().items()
    }


def test_an_annotator_of_one_side_is_named(lena_client: Client) -> None:
    study = judged_study(items=40, annotators=3, leaning=Leaning(left=0.9))

    text = page(lena_client, "preference", study)

    assert "beyond chance (exact binomial test, corrected by Holm)" in text
    assert "The left output was chosen in" in text


def test_disputed_items_lead_to_their_outputs(study: Study, lena_client: Client) -> None:
    (first,), count = queries.disputed_items(study, limit=1)

    text = page(lena_client, "agreement", study)
    item = lena_client.get(reverse("item", args=[study.slug, first.public_id]))

    assert f"{count} items where some chose the baseline" in text
    assert reverse("item", args=[study.slug, first.public_id]) in text
    shown = item.content.decode()
    wanted = Item.objects.get(public_id=first.public_id)
    for part in (wanted.prompt, wanted.baseline_output, wanted.candidate_output):
        assert part in shown
    assert study.baseline_name in shown
    assert study.candidate_name in shown


def test_disputed_items_come_widest_first_in_pages(study: Study, lena_client: Client) -> None:
    everything, count = queries.disputed_items(study, limit=100)
    spreads = [max(i.preferences) - min(i.preferences) for i in everything]

    assert len(everything) == count
    assert spreads == sorted(spreads, reverse=True)
    assert all(min(i.preferences) < 0 < max(i.preferences) for i in everything)
    pieces = [queries.disputed_items(study, limit=2, offset=n)[0] for n in range(0, count, 2)]
    assert [item for piece in pieces for item in piece] == everything
    url = reverse("disputed", args=[study.slug])
    assert lena_client.get(f"{url}?page=999").status_code == 404


def test_untrusted_text_is_text(lena_client: Client) -> None:
    study = make_study()
    evil = "<script>window.__pwned=1</script>{{ settings.SECRET_KEY }}"
    make_batch(
        study,
        [
            {
                "prompt": evil,
                "baseline_output": evil,
                "candidate_output": evil,
                "category": evil,
                "reference": evil,
            }
        ],
    )
    item = study.items.get()

    pages = [page(lena_client, name, study) for name in PAGES]
    pages.append(
        lena_client.get(reverse("item", args=[study.slug, item.public_id])).content.decode()
    )

    assert not any("<script>window" in text for text in pages)
    assert "&lt;script&gt;window.__pwned=1&lt;/script&gt;{{ settings.SECRET_KEY }}" in pages[-1]


def test_items_of_another_study_do_not_exist_here(study: Study, lena_client: Client) -> None:
    other = make_study("Other")
    make_batch(other, 1)

    url = reverse("item", args=[study.slug, other.items.get().public_id])

    assert lena_client.get(url).status_code == 404


def test_reading_writes_nothing(study: Study, lena_client: Client) -> None:
    for name in (*PAGES, "policy"):
        page(lena_client, name, study)

    assert not study.policies.exists()


def test_a_page_takes_as_many_statements_for_many_items_as_for_few(lena_client: Client) -> None:
    small = judged_study(name="Few", items=6, annotators=3)
    large = judged_study(name="Many", items=60, annotators=3)
    # The first page of a session asks for more.
    page(lena_client, "study", judged_study(name="First", items=6, annotators=3))

    for name in PAGES:
        counts = [statements(partial(page, lena_client, name, study)) for study in (small, large)]
        assert counts[0] == counts[1] <= 60, name


def test_a_lead_of_nothing_sees_who_is_missing(lena_client: Client) -> None:
    study = make_study(state="draft")
    make_user("Nobody")

    text = page(lena_client, "study", study)

    assert "There is nothing to judge" in text
    assert "Nobody judges in this study" in text


def test_flagged_items_are_listed_and_named_on_the_first_page(
    study: Study, lena_client: Client
) -> None:
    task = study.tasks.filter(state="judged").first()
    assert task is not None
    assert task.annotator is not None
    flag_task(task.pk, task.annotator, ["recognised", "broken"])

    first = page(lena_client, "study", study)
    listed = page(lena_client, "disputed", study, "?show=flagged")

    assert "Annotators have flagged items" in first
    assert h1(listed) == "Annotators have flagged 1 item"
    assert reverse("item", args=[study.slug, task.item.public_id]) in listed
    assert "I recognised it" in listed


def test_an_item_shows_corrections_comments_and_skips(lena_client: Client) -> None:
    alice, bob = make_user("Ada"), make_user("Ben")
    study = make_study(annotators=[alice, bob], overlap=2)
    make_batch(study, 1)
    first = judge_next(study, alice, choice=-1, comment="First thought <b>")
    task = Task.objects.get(pk=first.task_id)
    record_judgement(
        task.pk, alice, submission_key(task), Answers(choice=1, comment="Second thought")
    )
    skip_task(claim_task(study, bob).pk, bob, reason="not_my_field", note="Law")

    url = reverse("item", args=[study.slug, study.items.get().public_id])
    text = lena_client.get(url).content.decode()

    assert "Second thought" in text
    assert "First thought &lt;b&gt;" in text
    assert text.index("Second thought") < text.index("First thought")
    assert "Said before, and corrected (1)" in text
    assert "skipped it" in text
    assert "not my field Law" in text


def test_undefined_kappa_says_why(lena_client: Client) -> None:
    study = judged_study(items=12, annotators=3, leaning=Leaning(candidate=1.0, tie=0.0))

    text = page(lena_client, "agreement", study)

    assert "undefined</span>" in text
    assert "both chose the candidate on all 12 items they share" in text


@pytest.mark.parametrize("weights", ["unweighted", "linear", "quadratic"])
def test_kappa_is_shown_by_the_chosen_weights(
    weights: str, study: Study, lena_client: Client
) -> None:
    counted = read(study)
    # Strength counts where the scale has it: this one has five points.
    tables = counted.winners if weights == "unweighted" else counted.on_scale
    assert tables.shape[1] == (3 if weights == "unweighted" else 5)
    wanted = cohen_kappa(tables[0], weights)

    text = page(lena_client, "agreement", study, f"?weights={weights}")

    assert f"<b>{coefficient(wanted.value)}</b></a>" in text
