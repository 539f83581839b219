"""Pages that are rarely seen: the second factor, errors, the emergency site."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Page

from annotate.models import Role, Study, User
from tests.browser.conftest import Visitor
from tests.factories import PASSWORD, make_batch, make_study, make_user

pytestmark = pytest.mark.browser


@pytest.fixture
def nina(transactional_db: None) -> User:
    """A lead with a password, who has set up a second factor."""
    cache.clear()
    user = make_user("Nina", role=Role.LEAD, password=PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@pytest.fixture
def study(transactional_db: None) -> Study:
    study = make_study("Support replies")
    make_batch(study, 2)
    return study


def sign_in(page: Page, user: User) -> None:
    page.goto(reverse("account_login"))
    page.locator("input[name=login]").fill(user.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()


@contextmanager
def missing_table(name: str) -> Iterator[None]:
    """A fault that no page foresees."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} RENAME TO {name}_away")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {name}_away RENAME TO {name}")


def test_pages_of_the_second_factor(tour: Any, nina: User) -> None:
    TOTP.activate(nina, generate_totp_secret())
    code = RecoveryCodes.activate(nina).get_unused_codes()[0]
    halfway = tour()
    sign_in(halfway.page, nina)
    halfway.page.wait_for_url("**/2fa/authenticate/")
    halfway.look("the code asked for at sign-in")

    inside = tour(nina)
    inside.visit(reverse("mfa_index"))
    inside.page.goto(reverse("mfa_deactivate_totp"))
    inside.page.wait_for_url("**/reauthenticate/**")
    inside.look("the password asked for again")
    inside.visit(f"{reverse('mfa_reauthenticate')}?next={reverse('mfa_deactivate_totp')}")
    inside.page.locator("input[name=code]").fill(code)
    inside.page.locator("main button[type=submit]").click()
    inside.page.wait_for_url("**/deactivate/")
    for name in ("mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes"):
        inside.visit(reverse(name))


def test_pages_of_setting_a_second_factor_up(tour: Any, nina: User) -> None:
    visit = tour(nina)
    visit.page.goto(reverse("mfa_activate_totp"))
    visit.page.wait_for_url("**/reauthenticate/**")
    visit.look("the password asked for again")
    visit.page.locator("input[name=password]").fill(PASSWORD)
    visit.page.locator("main button[type=submit]").click()
    visit.page.wait_for_url("**/activate/")
    visit.look("the picture of the secret")


def test_page_of_a_request_that_cannot_be_read(tour: Any, nina: User, study: Study) -> None:
    many = "&".join(f"a{number}=1" for number in range(600))

    tour(nina).visit(f"{reverse('preference', args=[study.slug])}?{many}", status=400)


def test_page_of_too_many_requests(tour: Any, nina: User) -> None:
    visit = tour(nina)
    address = f"{reverse('account_reauthenticate')}?next=/me/"
    for _ in range(12):
        visit.page.goto(address)
        if "Too many requests" in visit.page.title():
            break
        visit.page.locator("input[name=password]").fill("wrong password")
        visit.page.locator("main button[type=submit]").click()
        if "Too many requests" in visit.page.title():
            break

    assert "Too many requests" in visit.page.title()
    visit.look("too many requests")


@pytest.mark.filterwarnings("ignore")
def test_page_of_a_fault_nobody_foresaw(tour: Any, nina: User, study: Study) -> None:
    visit = tour(nina)
    with missing_table("annotate_batch"):
        visit.visit(reverse("batches", args=[study.slug]), status=500)

    assert "annotate_batch" not in visit.page.content()


def test_emergency_site_opens_quietly(visitor: Visitor, study: Study) -> None:
    page = visitor.page(make_user("Adam", role=Role.ADMIN))
    for name, rows in (("user", 1), ("study", 1), ("item", 2), ("task", 6)):
        answer = page.goto(reverse(f"admin:annotate_{name}_changelist"))
        assert answer is not None
        assert answer.status == 200
        assert page.locator("#result_list tbody tr").count() == rows
        page.locator("#result_list tbody tr a").first.click()
        page.locator("#content h1").wait_for()
        assert page.locator("input[name=_addanother], .deletelink").count() == 0
