"""What every template may know of the site: the theme chosen, and how people can sign in."""

from django.conf import settings
from django.http import HttpRequest

THEME_COOKIE = "theme"
THEMES = ("light", "dark")


def site(request: HttpRequest) -> dict[str, object]:
    """`theme` is empty where the system decides."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "theme": theme if theme in THEMES else "",
        "sends_email": bool(settings.EMAIL_HOST),
        "requires_mfa": settings.REQUIRE_MFA,
    }
