"""What holds for the whole site: sign-in pages' words, start-up checks."""

from django.apps import AppConfig


class TouchstoneConfig(AppConfig):
    name = "config"
    label = "config"
