"""`{% number found %}`: an estimate in a page. Tables have a thousand, and an include takes as
long as ten of these."""

from django.template import Library
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from evals.reporting.numbers import Shown

register = Library()


@register.simple_tag
def number(found: Shown | None, counted: bool = False, large: bool = False) -> SafeString:
    """Value, interval, n where `counted`, and why there is none of these; nothing of nothing."""
    if not found:
        return SafeString("")
    n = found.n if counted and found.estimate else ""
    rest = (("ci", found.interval), ("n", n), ("why", found.why))
    return format_html(
        '<span class="{}"><b>{}</b>{}</span>',
        "est est-l" if large else "est",
        found.value,
        format_html_join("", ' <span class="{}">{}</span>', (one for one in rest if one[1])),
    )
