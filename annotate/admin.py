"""The evidence on the emergency site."""

from typing import Any

from django.db.models import Model

from annotate.emergency import ReadOnlyAdmin, site
from annotate.models import (
    Assignment,
    Batch,
    Criterion,
    Flag,
    Invitation,
    Item,
    Judgement,
    Rating,
    Study,
    Task,
    Upload,
    User,
)


def show(*models: type[Model], **options: Any) -> None:
    """Register models to be looked at; `options` are those of ReadOnlyAdmin."""
    for model in models:
        site.register(model, type(f"{model.__name__}Admin", (ReadOnlyAdmin,), options))


show(
    User,
    editable=("name",),
    list_display=("email", "name", "role", "is_active", "last_login"),
    list_filter=("role", "is_active"),
    search_fields=("email", "name"),
)
show(
    Invitation,
    list_display=("email", "role", "study", "created_at", "expires_at", "accepted_at"),
    list_select_related=("study",),
)
show(
    Study,
    editable=("lease_minutes",),
    list_display=("slug", "name", "state", "overlap", "lease_minutes"),
    list_filter=("state",),
)
show(
    Assignment,
    editable=("cap",),
    list_display=("study", "annotator", "is_active", "cap", "judged_count", "repeated_count"),
    list_select_related=("study", "annotator"),
)
show(Criterion, list_display=("study", "key", "kind", "required"), list_select_related=("study",))
show(Batch, list_display=("study", "number", "name", "item_count"), list_select_related=("study",))
show(Upload, list_display=("study", "name", "state", "created_at"), list_select_related=("study",))
# What could lift a blind is hidden from an admin who judges in the study.
show(
    Item,
    study_path="study",
    list_display=("public_id", "study", "batch", "position", "category"),
    list_select_related=("study", "batch"),
)
show(
    Task,
    study_path="study",
    list_display=("id", "study", "state", "annotator", "lease_ends_at", "judged_at"),
    list_filter=("state",),
    list_select_related=("study", "annotator"),
)
show(
    Judgement,
    study_path="study",
    list_display=("id", "study", "annotator", "version", "created_at"),
    list_select_related=("study", "annotator"),
)
show(Rating, study_path="judgement__study", list_display=("judgement", "criterion"))
show(Flag, study_path="task__study", list_display=("task", "kind", "created_at"))
