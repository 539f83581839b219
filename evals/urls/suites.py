"""Suites of automated tests."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
