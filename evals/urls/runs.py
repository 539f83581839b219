"""Runs: started, watched, cancelled, taken in from files, handed to people."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
