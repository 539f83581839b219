"""Who may open which study: what is not open to someone does not exist for them."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404

from annotate.models import Assignment, State, Study, User
from config.http import not_found_unless, refuse

P = ParamSpec("P")
StudyView = Callable[Concatenate[HttpRequest, Study, P], HttpResponseBase]
SluggedView = Callable[..., HttpResponseBase]

RESULTS_HIDDEN = (
    "You judge in this study: its results open for you when it closes, "
    "or when you are taken off it."
)


class ResultsHiddenError(Exception):
    """Whoever asks judges in the study, and judges blind like everybody else."""

    def __init__(self) -> None:
        super().__init__(RESULTS_HIDDEN)


def study_for_lead(request: HttpRequest, slug: str) -> Study:
    """The study of an address, for leads and admins; for others there is none."""
    not_found_unless(getattr(request.user, "is_lead", False))
    return get_object_or_404(Study, slug=slug)


def study_for_admin(request: HttpRequest, slug: str) -> Study:
    """The study of an address, for admins; for others there is none."""
    not_found_unless(getattr(request.user, "is_admin", False))
    return get_object_or_404(Study, slug=slug)


def results_study(request: HttpRequest, slug: str) -> Study:
    """The study of an address, for leads and admins who do not judge in it themselves.

    Raises
    ------
    ResultsHiddenError
        If they are assigned to it and it is not closed: a result seen is a blind lifted.
    """
    study = study_for_lead(request, slug)
    if study.state != State.CLOSED and is_judging_in(request, study):
        raise ResultsHiddenError
    return study


def is_judging_in(request: HttpRequest, study: Study) -> bool:
    active = Assignment.objects.filter(study=study, is_active=True)
    return active.filter(annotator=request.user.pk).exists()


def results_page(view: StudyView[P]) -> SluggedView:
    """Give a view of results the study of its address, or refuse whoever judges in it."""

    @wraps(view)
    def guarded(
        request: HttpRequest, /, slug: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        try:
            study = results_study(request, slug)
        except ResultsHiddenError as error:
            return results_hidden(request, error)
        return view(request, study, *args, **kwargs)

    return guarded


def admin_page(view: StudyView[P]) -> SluggedView:
    """Give a view the study of its address, for admins; for others there is none."""

    @wraps(view)
    def guarded(
        request: HttpRequest, /, slug: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        return view(request, study_for_admin(request, slug), *args, **kwargs)

    return guarded


def admin_results_page(view: StudyView[P]) -> SluggedView:
    """The same for admins who do not judge in the study: what people said is a result."""
    shown = results_page(view)

    @wraps(view)
    def guarded(
        request: HttpRequest, /, slug: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        study_for_admin(request, slug)
        return shown(request, *args, slug=slug, **kwargs)

    return guarded


def results_hidden(request: HttpRequest, error: ResultsHiddenError) -> HttpResponse:
    return refuse(request, "These results are still hidden from you", str(error), status=403)


def signed_in(request: HttpRequest) -> User:
    """Who asks; a sign-in is required by default, so there is somebody."""
    user = request.user
    assert isinstance(user, User)
    return user
