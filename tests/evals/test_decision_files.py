"""A verdict as a file: one page without anything from elsewhere, Markdown, JSON, JUnit."""

import json
import re
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils.timezone import localdate
from markdown_it import MarkdownIt

from annotate.models import Study, User
from evals import deciding
from evals.gate import DEFAULT_GATES
from evals.models import Decision
from evals.reporting.decided_markdown import escaped
from tests.evals.simulation import Leaning, judged_study
from tests.factories import make_batch, rows_of

pytestmark = pytest.mark.django_db

HOSTILE = (
    "</style><script>alert(1)</script> | [x](https://evil.example) ![i](http://evil.example/i.png)"
    " **b** `c` # h @everyone #123 www.evil.example <img src=x onerror=alert(1)> &copy; $x$ ~~s~~"
)
KINDS = ("html", "md", "json", "xml")


@pytest.fixture
def study() -> Study:
    study = judged_study(items=30, annotators=4, leaning=Leaning(candidate=0.8), name="Replies")
    study.name = HOSTILE[:120]
    study.baseline_name, study.candidate_name = HOSTILE[:80], HOSTILE[80:160]
    study.save()
    return study


def signed(study: Study, signer: User, **more: Any) -> Decision:
    seen = deciding.digest_of(deciding.evidence_of(deciding.weigh(study)))
    wanted = {"choice": "hold", "rationale": f"# Why\n\n> {HOSTILE}", "seen": seen} | more
    return deciding.sign_decision(study, signer, **wanted)


def shipped(study: Study, signer: User) -> Decision:
    waivers = [
        deciding.Waiver(result.gate.key, HOSTILE, localdate().isoformat())
        for result in deciding.to_waive(deciding.weigh(study))
    ]
    return signed(study, signer, choice="ship", waivers=waivers)


def files(client: Client, study: Study, decision: Decision | None = None) -> dict[str, bytes]:
    """Every kind of file, of the evidence as it is or of a decision."""
    found = {}
    for kind in KINDS:
        where = [study.slug, decision.pk, kind] if decision else [study.slug, kind]
        name = "decision_file" if decision else "verdict_file"
        response = client.get(reverse(name, args=where))
        assert response.status_code == 200
        assert response["Content-Disposition"].endswith(f'.{kind}"')
        found[kind] = response.content
    return found


class Page(HTMLParser):
    """The elements and addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [
            value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")
        ]


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(
    study: Study, lena: User, lena_client: Client
) -> None:
    decision = shipped(study, lena)

    for one in (None, decision):
        text = files(lena_client, study, one)["html"].decode()
        page = Page(text)
        assert page.addresses == []
        assert not {"script", "link", "img", "iframe", "form", "object"} & set(page.tags)
        assert page.tags.count("style") == 1
        style = text.split("<style>")[1].split("</style>")[0]
        assert "url(" not in style
        assert "@import" not in style
        assert "@media print" in style


def test_a_file_of_a_decision_tells_what_was_signed_not_what_is(
    study: Study, lena: User, lena_client: Client
) -> None:
    decision = shipped(study, lena)
    then = json.loads(files(lena_client, study, decision)["json"])
    deciding.change_policy(
        study, DEFAULT_GATES, confidence=0.9, made_by=lena, reason="Agreed | later"
    )
    make_batch(study, rows_of(2), name="second")

    found = files(lena_client, study, decision)

    told = json.loads(found["json"])
    assert told["evidence"] == then["evidence"] == decision.evidence
    assert told["digest"] == deciding.digest_of(told["evidence"])
    assert told["signed"]["changed"]["what"] == ["1 change of the policy", "1 batch"]
    for kind in ("html", "md"):
        text = found[kind].decode()
        assert "Ship, signed by Lena" in text
        assert "The evidence has changed since" in text
        assert decision.digest in text
    text = files(lena_client, study)["md"].decode()
    assert "Not a signed decision" in text
    assert r"Agreed \| later" in text


def test_markdown_renders_as_a_page_whatever_people_typed(
    study: Study, lena: User, lena_client: Client
) -> None:
    text = files(lena_client, study, shipped(study, lena))["md"].decode()

    page = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)

    found = Page(page)
    assert found.addresses == []
    assert not {"script", "img", "a", "em", "s"} & set(found.tags)
    assert (found.tags.count("h1"), found.tags.count("table")) == (1, 1)
    assert found.tags.count("tr") == 1 + len(DEFAULT_GATES)
    assert found.tags.count("td") == 6 * len(DEFAULT_GATES)
    assert found.tags.count("code") == 1  # the slug
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    # Nobody is mentioned, no issue is linked.
    assert not re.search(r"@\w", re.sub("<!-- -->", "<>", text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two\nlines\u2028three", "two lines� three"),
        ("a|b", r"a\|b"),
        ("@ann and #12", "@<!-- -->ann and \\#<!-- -->12"),
        ("https://evil.example", r"https\://evil.example"),
        ("WWW.evil.example", r"WWW\.evil.example"),
        ("_www.evil.example", r"\_www\.evil.example"),
        ("1. no list", r"1\. no list"),
        ("- no list - at all", r"\- no list - at all"),
        ("<b>&copy;</b>", r"\<b\>\&copy;\</b\>"),
    ],
)
def test_words_stay_words(text: str, expected: str) -> None:
    assert escaped(text).replace("� ", "�") == expected.replace("� ", "�")


def test_agreement_stands_beside_the_human_gate(study: Study, lena_client: Client) -> None:
    found = files(lena_client, study)

    assert "Agreement of the annotators, α:" in found["html"].decode()
    assert (
        "Agreement of the annotators, α:"
        in lena_client.get(reverse("decision", args=[study.slug])).text
    )
    assert "alpha" in found["md"].decode()


def test_each_kind_is_what_it_says_and_no_other_is_there(
    study: Study, lena: User, lena_client: Client
) -> None:
    found = files(lena_client, study, signed(study, lena))

    told = json.loads(found["json"])
    assert set(told) == {"verdict", "gates", "signed", "digest", "evidence"}
    suite = fromstring(found["xml"]).find("testsuite")  # noqa: S314 - written just now
    assert suite is not None
    assert suite.get("tests") == "7"
    for name, args in (("verdict_file", [study.slug, "pdf"]),):
        assert lena_client.get(reverse(name, args=args)).status_code == 404


# The command.


def decide(*args: str) -> str:
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("decide", *args, stdout=out)
    return out.getvalue()


def test_decide_writes_markdown_and_says_what_became_of_the_signed_decision(
    study: Study, lena: User, tmp_path: Path
) -> None:
    assert "signed" not in json.loads(decide(study.slug, "--json"))
    shipped(study, lena)
    decision = Decision.objects.get()
    waivers = [one | {"until": "2026-01-31"} for one in decision.evidence["waivers"]]
    evidence = decision.evidence | {"waivers": waivers}
    old = Decision.objects.create(
        study=study, policy=decision.policy, choice="ship", verdict="NOT YET", rationale="Then.",
        evidence=evidence, digest=deciding.digest_of(evidence), signed_by=lena, signed_name="Lena",
    )  # fmt: skip

    file = tmp_path / "verdict.md"
    words = decide(study.slug, f"--markdown={file}")
    answer = json.loads(decide(study.slug, "--json"))

    assert file.read_text().startswith("# NOT YET: ")
    assert "Signed: Ship, signed by Lena on" in words
    assert "The waiver of Exact match expired on 31 January 2026" in words
    assert answer["signed"]["id"] == str(old.pk)
    assert all(one["expired"] for one in answer["signed"]["waivers"])
