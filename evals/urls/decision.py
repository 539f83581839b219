from django.urls import path

from evals.views import decision

ONE = "studies/<slug:slug>/decisions/<uuid:decision_id>"

urlpatterns = [
    path(f"{ONE}/second", decision.second, name="second_signature"),
]
