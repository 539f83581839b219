"""Pages of people: the own account, joining by invitation, and the list that admins keep."""

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from annotate import accounts, inviting
from annotate.access import signed_in
from annotate.forms.people import InviteForm, JoinForm, NameForm, RoleForm, ThemeForm
from annotate.models import Assignment, User
from config.context import THEME_COOKIE
from config.http import admin_required, refuse

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
YEAR = 365 * 24 * 3600
NO_SUCH_BUTTON = ("Nothing was done", "This form has no such button.")


@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """The own account; a POST carries either a theme or a name."""
    if request.method != "POST":
        return _render_account(request)
    return _save_theme(request) if "theme" in request.POST else _save_name(request)


def _save_theme(request: HttpRequest) -> HttpResponse:
    form = ThemeForm(request.POST)
    if not form.is_valid():
        return _render_account(request, theme_form=form, status=422)
    response = redirect("account")
    theme = form.cleaned_data["theme"]
    if theme == "system":
        response.delete_cookie(THEME_COOKIE, samesite="Lax")
    else:
        response.set_cookie(
            THEME_COOKIE,
            theme,
            max_age=YEAR,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


def _save_name(request: HttpRequest) -> HttpResponse:
    form = NameForm(request.POST)
    if not form.is_valid():
        return _render_account(request, name_form=form, status=422)
    User.objects.filter(pk=signed_in(request).pk).update(name=form.cleaned_data["name"])
    messages.success(request, "Your name is saved.")
    return redirect("account")


def _render_account(
    request: HttpRequest,
    *,
    theme_form: ThemeForm | None = None,
    name_form: NameForm | None = None,
    status: int = 200,
) -> HttpResponse:
    user = signed_in(request)
    theme = request.COOKIES.get(THEME_COOKIE, "system")
    context = {
        "theme_form": theme_form or ThemeForm(initial={"theme": theme}),
        "name_form": name_form or NameForm(initial={"name": user.name}),
        "second_factor": accounts.has_second_factor(user),
    }
    return render(request, "annotate/people/account.html", context, status=status)


@sensitive_post_parameters("password", "again")
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a name and a password; the link is used up by it."""
    try:
        invitation = inviting.find_invitation(token)
        form = JoinForm(request.POST or None, email=invitation.email)
        if request.method != "POST" or not form.is_valid():
            return _render_join(request, invitation.email, form)
        user = inviting.accept(
            token, name=form.cleaned_data["name"], password=form.cleaned_data["password"]
        )
    except inviting.InvitationGoneError:
        return render(request, "annotate/people/invitation_gone.html", status=404)
    login(request, user, backend=BACKEND)
    return redirect("home")


def _render_join(request: HttpRequest, email: str, form: JoinForm) -> HttpResponse:
    context = {"form": form, "email": email}
    status = 422 if form.is_bound else 200
    return render(request, "annotate/people/join.html", context, status=status)


@admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """Everybody, and who is invited; a POST revokes an invitation."""
    if request.method != "POST":
        return _render_people(request)
    try:
        invitation_id = UUID(request.POST.get("revoke", ""))
    except ValueError:
        return refuse(request, *NO_SUCH_BUTTON, status=422)
    revoked = inviting.revoke(invitation_id)
    messages.info(
        request, "The invitation is revoked." if revoked else "That invitation had ended before."
    )
    return redirect("people")


@admin_required
@require_POST
def invite(request: HttpRequest) -> HttpResponse:
    """Make an invitation and show its link, this once."""
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _render_people(request, form=form, status=422)
    said = form.cleaned_data
    try:
        invited = inviting.invite(
            said["email"], said["role"], study=said["study"], invited_by=signed_in(request)
        )
    except inviting.RefusedInvitationError as error:
        form.add_error("email", ValidationError(str(error)))
        return _render_people(request, form=form, status=422)
    return _render_people(request, invited=invited, sent=_sent(invited))


def _sent(invited: inviting.Invited) -> str:
    """What became of the letter: yes, no, or failed."""
    if not settings.EMAIL_HOST:
        return "no"
    try:
        inviting.send_invitation(invited)
    except OSError:
        return "failed"
    return "yes"


def _render_people(
    request: HttpRequest,
    *,
    form: InviteForm | None = None,
    invited: inviting.Invited | None = None,
    sent: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "people": _with_studies().order_by("-is_active", "email"),
        "pending": inviting.pending().select_related("study").order_by("email"),
        "form": form or InviteForm(),
        "invited": invited,
        "sent": sent,
    }
    return render(request, "annotate/people/people.html", context, status=status)


def _with_studies() -> QuerySet[User]:
    active = Assignment.objects.filter(is_active=True).select_related("study")
    return User.objects.filter(outside_of=None).prefetch_related(
        Prefetch("assignments", active.order_by("study__name"), to_attr="judges_in")
    )


@admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """One person; a POST does what its button says."""
    found = get_object_or_404(_with_studies(), pk=user_id)
    if request.method != "POST":
        return _render_person(request, found)
    act = ACTS.get(request.POST.get("act", ""))
    if act is None:
        return refuse(request, *NO_SUCH_BUTTON, status=422)
    try:
        return act(request, found)
    except accounts.LastAdminError as error:
        return refuse(request, "There must be an admin", str(error))


def _change_role(request: HttpRequest, found: User) -> HttpResponse:
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _render_person(request, found, form=form, status=422)
    role = form.cleaned_data["role"]
    accounts.change_role(found.pk, role, by=signed_in(request))
    messages.success(request, f"{found} is now {inviting.AS[role]}.")
    # Whoever gave up the role of admin may not see this page any more.
    return redirect("home") if found == request.user else redirect("person", found.pk)


def _deactivate(request: HttpRequest, found: User) -> HttpResponse:
    accounts.deactivate(found.pk, by=signed_in(request))
    messages.success(request, f"{found} can no longer sign in.")
    return redirect("person", found.pk)


def _reactivate(request: HttpRequest, found: User) -> HttpResponse:
    accounts.reactivate(found.pk, by=signed_in(request))
    messages.success(request, f"{found} can sign in again.")
    return redirect("person", found.pk)


def _reset_link(request: HttpRequest, found: User) -> HttpResponse:
    if not found.is_active:
        return refuse(
            request, "No link was made", f"{found} is deactivated. Reactivate them first."
        )
    link = accounts.reset_link(found, by=signed_in(request))
    return _render_person(request, found, link=link)


def _remove_second_factor(request: HttpRequest, found: User) -> HttpResponse:
    accounts.remove_second_factor(found, by=signed_in(request))
    messages.success(request, f"{found} now signs in without a second factor.")
    return redirect("person", found.pk)


ACTS: dict[str, Callable[[HttpRequest, User], HttpResponse]] = {
    "role": _change_role,
    "deactivate": _deactivate,
    "reactivate": _reactivate,
    "reset_link": _reset_link,
    "remove_second_factor": _remove_second_factor,
}


def _render_person(
    request: HttpRequest,
    found: User,
    *,
    form: RoleForm | None = None,
    link: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "person": found,
        "form": form or RoleForm(initial={"role": found.role}),
        "second_factor": accounts.has_second_factor(found),
        "link": link,
    }
    return render(request, "annotate/people/person.html", context, status=status)
