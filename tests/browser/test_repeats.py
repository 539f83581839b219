"""The pages of a study whose items were asked again."""

from typing import Any

import pytest
from django.urls import reverse

from annotate.models import User
from tests.evals.test_repeats_pages import ask_again, judged_study
from tests.factories import make_user

pytestmark = pytest.mark.browser


def test_pages_that_show_repeats(tour: Any, transactional_db: None, lena: User) -> None:
    people = [make_user("Marguerite Duras-Villeneuve"), make_user("Bo")]
    study = judged_study(people)
    for place, person in enumerate(people):
        ask_again(study, person, choice=place - 1)
    visit = tour(lena)

    visit.visit(reverse("annotators", args=[study.slug]))
    assert visit.page.locator("#repeats tbody tr").count() == 3
    visit.visit(reverse("preference", args=[study.slug]))
    visit.visit(reverse("rubric", args=[study.slug]))
