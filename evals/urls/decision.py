from django.urls import path

from evals.views import decision, decision_files

STUDY = "studies/<slug:slug>"
ONE = f"{STUDY}/decisions/<uuid:decision_id>"

urlpatterns = [
    path(
        f"{STUDY}/decision/verdict.<slug:file_kind>",
        decision_files.verdict_file,
        name="verdict_file",
    ),
    path(f"{ONE}/second", decision.second, name="second_signature"),
    path(f"{ONE}/decision.<slug:file_kind>", decision_files.decision_file, name="decision_file"),
]
