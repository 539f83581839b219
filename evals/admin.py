"""The weighing on the emergency site."""

from annotate.admin import show
from evals.models import Decision, Policy

show(
    Policy,
    study_path="study",
    list_display=("study", "version", "confidence", "created_at"),
    list_select_related=("study",),
)
show(
    Decision,
    study_path="study",
    list_display=("study", "verdict", "choice", "signed_name", "created_at"),
    list_select_related=("study",),
)
