"""Model services, for admins."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
