"""A verdict as one self-contained page: no script, nothing from elsewhere, made to be printed."""

from django.template.loader import render_to_string

from evals.reporting.decided import (
    Document,
    counted_line,
    input_rows,
    policy_lines,
    signed_line,
    waiver_lines,
    warnings,
    when,
)
from evals.reporting.gates import VERDICT_LOOKS, gate_rows, headline
from evals.reporting.numbers import level


def decided_html(document: Document) -> bytes:
    evidence, record = dict(document.evidence), document.record
    context = {
        "evidence": evidence,
        "headline": headline(evidence),
        "gates": gate_rows(evidence),
        "look": VERDICT_LOOKS[evidence["verdict"]],
        "level": level(evidence["policy"]["confidence"]),
        "made_at": when(document.made_at),
        "record": record,
        "signed_line": signed_line(record) if record else "",
        "waivers": waiver_lines(record) if record else (),
        "warnings": warnings(document),
        "counted": counted_line(evidence),
        "policy": policy_lines(evidence),
        "inputs": input_rows(document),
    }
    return render_to_string("evals/decide_file.html", context).encode()
