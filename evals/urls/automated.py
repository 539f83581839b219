"""What automated runs say of the two systems, and where they meet people's judgements."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
