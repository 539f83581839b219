"""The emergency site: Django's admin, to look at rows when a page cannot.

It has no login of its own (allauth's limits and second factor would not cover it), shows
nothing to whoever is no admin, and changes next to nothing.
"""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotate.models import State, Study
from config.http import not_found_unless

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Model]
else:
    Base = admin.ModelAdmin


class EmergencySite(admin.AdminSite):
    site_header = "Touchstone, emergency site"
    site_title = "Emergency site"
    index_title = "Rows as they are. Change things on the pages of Touchstone where you can."
    enable_nav_sidebar = False

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        guarded = super().admin_view(view, cacheable)

        def for_admins(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            not_found_unless(self.has_permission(request))
            return guarded(request, *args, **kwargs)

        return for_admins

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        raise Http404

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("account_change_password")


site = EmergencySite(name="admin")


class ReadOnlyAdmin(Base):
    """Shows rows and changes only `editable` fields; adds and deletes nothing."""

    editable: tuple[str, ...] = ()
    # The way from a row to its study; rows of studies that the admin judges in stay hidden.
    study_path = ""
    show_full_result_count = False
    list_per_page = 50
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(self.editable)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        fields = [field.name for field in self.model._meta.fields if field.name not in self.hidden]
        return [name for name in fields if name not in self.editable]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [field.name for field in self.model._meta.fields if field.name not in self.hidden]

    @property
    def hidden(self) -> set[str]:
        return {"password", "token_hash"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        rows = super().get_queryset(request)
        if not self.study_path:
            return rows
        blind = Study.objects.exclude(state=State.CLOSED).filter(
            assignments__annotator=request.user.pk, assignments__is_active=True
        )
        return rows.exclude(**{f"{self.study_path}__in": blind})
