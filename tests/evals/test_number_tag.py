"""An estimate as pages write it: escaped, with what it has and nothing else."""

import pytest
from django.template import Context, Template

from evals.reporting.numbers import Shown, shown
from evals.stats.estimates import Estimate, Undefined

RATE = Estimate(0.5, 0.25, 0.75, 40, "Wilson")


def written(found: Shown | None, options: str = "") -> str:
    return Template(f"{{% number found {options} %}}").render(Context({"found": found}))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", '<span class="est"><b>50.0\u202f%</b> <span class="ci">25.0 to 75.0</span></span>'),
        (
            "counted=True large=True",
            '<span class="est est-l"><b>50.0\u202f%</b> <span class="ci">25.0 to 75.0</span>'
            ' <span class="n">40 judgements</span></span>',
        ),
    ],
)
def test_value_interval_and_n(options: str, expected: str) -> None:
    assert written(shown(RATE), options) == expected


def test_where_there_is_no_number_the_reason_stands_and_no_n() -> None:
    found = written(shown(Undefined("nobody <b>judged</b>", 0)), "counted=True")

    assert found == (
        '<span class="est"><b>\u2013</b> <span class="why">nobody &lt;b&gt;judged&lt;/b&gt;</span>'
        "</span>"
    )


def test_of_nothing_nothing_is_written() -> None:
    assert written(None) == ""
