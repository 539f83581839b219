from django.urls import path

from evals.views import (
    agreement,
    confusion,
    decision,
    figures,
    items,
    overview,
    planning,
    preference,
    systems,
)

urlpatterns = [
    path("systems/", systems.systems, name="systems"),
    path("studies/<slug:slug>/", overview.study, name="study"),
    path("studies/<slug:slug>/progress", overview.progress, name="progress"),
    path("studies/<slug:slug>/annotators", overview.annotators, name="annotators"),
    path("studies/<slug:slug>/preference", preference.preference, name="preference"),
    path("studies/<slug:slug>/agreement", agreement.agreement, name="agreement"),
    path("studies/<slug:slug>/agreement/parts", agreement.parts, name="agreement_parts"),
    path("studies/<slug:slug>/agreement/pairs", confusion.pairs, name="agreement_pairs"),
    path("studies/<slug:slug>/agreement/confusion", confusion.confusion, name="confusion"),
    path("studies/<slug:slug>/agreement/items", confusion.cell, name="confusion_items"),
    path("studies/<slug:slug>/disputed", agreement.disputed, name="disputed"),
    path("studies/<slug:slug>/planning", planning.planning, name="planning"),
    path("studies/<slug:slug>/planning/curve.svg", planning.curve, name="planning_curve"),
    path("studies/<slug:slug>/figures/<slug:figure_key>", figures.page, name="figure"),
    path(
        "studies/<slug:slug>/figures/<slug:figure_key>.<slug:file_format>",
        figures.image,
        name="figure_image",
    ),
    path("studies/<slug:slug>/items/<uuid:public_id>", items.item, name="item"),
    path("studies/<slug:slug>/decision", decision.decision, name="decision"),
    path("studies/<slug:slug>/decision/policy", decision.policy, name="policy"),
    path("studies/<slug:slug>/decision/sign", decision.sign, name="sign"),
    path("studies/<slug:slug>/decisions/<uuid:decision_id>", decision.signed, name="signed"),
]
