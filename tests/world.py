"""One of everything that an address can name, and everybody who may ask for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, fields
from functools import cache
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotate import inviting
from annotate.claiming import claim_task
from annotate.models import JudgementFile, Role, Study, Task, Upload, User
from annotate.parsing.judgements import JudgementOptions
from annotate.receiving import receive_file
from annotate.uploading import Choices, receive
from evals.deciding import evidence_of, weigh
from evals.deciding.evidence import digest_of
from evals.deciding.policy import current_policy
from evals.models import Decision, Endpoint, Run, Staged, Suite
from tests.conftest import client_of
from tests.evals.factories import make_endpoint, make_run, make_suite
from tests.factories import judge_next, make_batch, make_study, make_user, source_of

# Columns of the table: alice judges in the study, bob elsewhere; judy leads and judges in it.
ROLES = ("anonymous", "alice", "bob", "judy", "lena", "adam")

ROW = '{"prompt": "Another?", "baseline_output": "One.", "candidate_output": "Two."}\n'


@dataclass
class World:
    """Rows of every kind, all of one study, and a client for each role."""

    study: Study
    task: Task
    upload: Upload
    judgement_file: JudgementFile
    decision: Decision
    token: str
    suite: Suite
    run: Run
    endpoint: Endpoint
    staged: dict[str, Staged]
    users: dict[str, User]
    clients: dict[str, Client] = field(default_factory=dict)

    def client(self, role: str, **options: bool) -> Client:
        client = Client(**options)  # type: ignore[arg-type]
        if role != "anonymous":
            client.cookies = self.clients[role].cookies
        return client

    def path(self, name: str) -> str:
        """The address called `name`, of the rows of this world."""
        wanted = parts_of(name)
        parts = self.parts(name) if wanted else {}
        return reverse(name, kwargs={part: parts[part] for part in wanted})

    def anew(self) -> "World":
        """The same rows for another test, which may change what it holds of them."""
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        clients = parts.pop("clients")
        return World(**deepcopy(parts), clients={of: again(clients[of]) for of in clients})

    def parts(self, name: str) -> dict[str, object]:
        item = self.study.items.order_by("position").first() if name == "item" else None
        return {
            "public_id": item.public_id if item else self.study.public_id,
            "task_id": self.task.pk,
            "token": self.token,
            "user_id": self.users["alice"].pk,
            "slug": self.study.slug,
            "number": 1,
            "upload_id": self.upload.pk,
            "file_id": self.judgement_file.pk,
            "suite_id": self.suite.pk,
            "run_number": self.run.number,
            "position": 1,
            "endpoint_id": self.endpoint.pk,
            "staged_id": self.staged["outputs" if "slug" in parts_of(name) else "suite"].pk,
            "figure_key": "latency" if "suite_id" in parts_of(name) else "outcomes",
            "file_format": "svg",
            "file_kind": "html",
            "kind": "judgements",
            "format": "csv",
            "decision_id": self.decision.pk,
            "uidb36": self.users["alice"].pk.hex,
            "key": "nonsense",
            "provider_id": "oidc",
        }


def again(client: Client) -> Client:
    """Somebody who is signed in as `client` is, whatever becomes of either."""
    other = Client()
    other.cookies = deepcopy(client.cookies)
    return other


@contextmanager
def passing_world() -> Iterator[World]:
    """A world for many tests, in a transaction around theirs: what they do is undone after each."""
    with transaction.atomic():
        yield make_world()
        transaction.set_rollback(True)


def make_world() -> World:
    users = {
        "alice": make_user("Alice"),
        "bob": make_user("Bob"),
        "judy": make_user("Judy", role=Role.LEAD),
        "lena": make_user("Lena", role=Role.LEAD),
        "adam": make_user("Adam", role=Role.ADMIN),
    }
    study = make_study("Support replies", annotators=[users["alice"], users["judy"]])
    make_batch(study, 5)
    make_batch(make_study("Product texts", annotators=[users["bob"]]), 5)
    judge_next(study, users["alice"])
    upload = receive(study, [source_of(ROW, "next.jsonl")], Choices(), users["adam"]).upload
    assert upload is not None
    suite, pair = make_suite(), uuid4()
    times = [900.0, 1100.0]
    make_run(study, suite, "baseline", pair=pair, passed=[True, False, True], latencies=times)
    return World(
        study=study,
        suite=suite,
        run=make_run(
            study, suite, "candidate", pair=pair, passed=[True, True, None], latencies=times
        ),
        endpoint=make_endpoint(),
        staged={
            "suite": Staged.objects.create(kind="suite"),
            "outputs": Staged.objects.create(kind="outputs", study=study),
        },
        task=claim_task(study, users["alice"]),
        upload=upload,
        judgement_file=receive_file(
            study,
            source_of("item_id,annotator,preference\nq-1,bob@example.org,tie\n", "said.csv"),
            JudgementOptions(),
            with_items=False,
            uploaded_by=users["adam"],
        ),
        decision=sign(study, users["lena"]),
        token=inviting.invite("dora@example.org", Role.ANNOTATOR).link.rsplit("/", 1)[1],
        users=users,
        clients={name: client_of(user) for name, user in users.items()},
    )


def sign(study: Study, signer: User) -> Decision:
    """A decision as a row: signing itself is tested elsewhere."""
    evidence = evidence_of(weigh(study))
    return Decision.objects.create(
        study=study,
        policy=current_policy(study),
        choice="hold",
        verdict=evidence["verdict"],
        rationale="Too early.",
        evidence=evidence,
        digest=digest_of(evidence),
        signed_by=signer,
        signed_name=str(signer),
    )


def all_patterns() -> list[tuple[str, URLPattern]]:
    """Every address of the site, by name; nameless ones go by their route."""
    return _walk(get_resolver(), "")


def _walk(resolver: URLResolver, prefix: str) -> list[tuple[str, URLPattern]]:
    found = []
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            found += _walk(pattern, inner)
        else:
            found.append((prefix + (pattern.name or f"<{pattern.pattern}>"), pattern))
    return found


def parts_of(name: str) -> set[str]:
    (parts,) = _parts(settings.ROOT_URLCONF)[name]
    return parts


@cache
def _parts(root: str) -> dict[str, list[set[str]]]:
    """By each name what varies in its address; to walk through all of them takes its time."""
    found: dict[str, list[set[str]]] = {}
    for name, pattern in all_patterns():
        found.setdefault(name, []).append(set(pattern.pattern.regex.groupindex))
    return found
