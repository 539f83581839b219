"""A verdict as JUnit XML: one test case a gate, as CI systems read it."""

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from evals.reporting.gates import reading

# What XML 1.0 cannot hold, whatever its spelling.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
OUTCOMES = {"not met": "failure", "not enough evidence": "error", "not measured": "error"}


def junit(evidence: dict[str, Any]) -> bytes:
    """Gates that are not met have failed; required ones without an answer are errors.

    A gate that is not required and not met is skipped: it stops nothing.
    """
    suite = Element("testsuite", name=_clean(f"{evidence['study']['slug']}: {evidence['verdict']}"))
    tally = {"failure": 0, "error": 0, "skipped": 0}
    for gate in evidence["gates"]:
        case = SubElement(suite, "testcase", classname="gates", name=_clean(gate["gate"]))
        if gate["status"] != "met":
            outcome = OUTCOMES[gate["status"]] if gate["required"] else "skipped"
            tally[outcome] += 1
            said = SubElement(case, outcome, message=_clean(f"{gate['status']}: {gate['asks']}"))
            said.text = _clean(reading(gate))
        SubElement(case, "system-out").text = _clean(gate["sentence"])
    suite.set("tests", str(len(evidence["gates"])))
    suite.set("failures", str(tally["failure"]))
    suite.set("errors", str(tally["error"]))
    suite.set("skipped", str(tally["skipped"]))
    root = Element("testsuites")
    root.append(suite)
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _clean(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)
