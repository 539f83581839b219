"""A signed decision can be computed again: here, elsewhere, from a dump; what differs is named."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from annotate.models import Study, User
from config.origin import EMPTY, made_by, tree_name
from config.pg import environment
from evals import deciding
from evals.gate import DEFAULT_GATES
from evals.models import Decision
from tests.conftest import ROOT
from tests.evals.factories import make_run, make_suite
from tests.evals.simulation import judge_slots, judged_study
from tests.factories import make_batch, make_user, rows_of

CASES = 320


def judged_and_run() -> Study:
    """Votes for the bootstrap of agreement, and latencies for that of the 99th percentiles."""
    study = judged_study(items=25, annotators=4, name="Judged and run")
    suite, pair = make_suite(cases=CASES), uuid4()
    passed = [number % 7 > 0 for number in range(CASES)]
    for system, slower in (("baseline", 1.0), ("candidate", 1.3)):
        latencies = [slower * (80 + number * 37 % 211) for number in range(CASES)]
        make_run(study, suite, system, passed=passed, pair=pair, latencies=latencies)
    return study


def signed(study: Study, signer: User) -> Decision:
    seen = deciding.digest_of(deciding.evidence_of(deciding.weigh(study)))
    return deciding.sign_decision(study, signer, choice="hold", rationale="Wait.", seen=seen)


def run(*args: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command(*args, stdout=out, stderr=err)
    except SystemExit as stopped:
        return int(stopped.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def verified(study: Study) -> tuple[int, dict[str, Any]]:
    code, out, _ = run("verify_decision", study.slug, "--json")
    (found,) = json.loads(out)["decisions"]
    return code, found


@pytest.fixture
def study(db: None) -> Study:
    return judged_and_run()


def test_evidence_names_all_that_went_into_it(study: Study, lena: User) -> None:
    evidence = signed(study, lena).evidence

    inputs = evidence["inputs"]
    assert set(inputs) == {"votes", "batches", "runs", "judgements"}
    assert all(len(inputs[name]) == 64 for name in ("votes", "judgements"))
    (used,) = inputs["runs"]
    assert len(used["digest"]) == len(used["baseline"]["answers"]) == 64
    assert used["scorers"]
    assert all("|" in scorer for scorer in used["scorers"])
    assert {draws["number"] for draws in evidence["resampling"]} == {"agreement", "latency_p99"}
    assert all((draws["seed"], draws["draws"]) == (0, 2000) for draws in evidence["resampling"])
    assert evidence["made_by"] == made_by()
    assert set(evidence["made_by"]["libraries"]) == {"numpy", "scipy"}
    assert evidence["policy"]["frozen"]["by"] == "judgement"
    assert evidence["policy"]["changes"] == []


def test_the_same_data_give_the_same_bytes(study: Study, lena: User) -> None:
    decision = signed(study, lena)

    again = deciding.evidence_again(Decision.objects.get(pk=decision.pk))
    code, found = verified(study)

    assert deciding.digest_of(again) == decision.digest
    assert code == 0
    assert (found["intact"], found["same_bytes"], found["differences"]) == (True, True, [])
    code, out, _ = run("verify_decision", study.slug, str(decision.pk))
    assert code == 0
    assert "computed again from the data: the same bytes" in out


def test_data_that_changed_are_named(study: Study, lena: User) -> None:
    signed(study, lena)
    make_batch(study, rows_of(2), name="second")
    judge_slots(study, [make_user(f"Late {number}") for number in range(3)])

    code, found = verified(study)

    assert code == 1
    assert (found["intact"], found["same_facts"]) == (True, False)
    assert "counts.judgements" in found["differences"]
    assert "inputs.judgements" in found["differences"]


def test_a_policy_that_changed_later_is_no_difference(study: Study, lena: User) -> None:
    signed(study, lena)
    deciding.change_policy(study, DEFAULT_GATES, confidence=0.9, made_by=lena, reason="Later")

    code, found = verified(study)

    assert (code, found["same_bytes"]) == (0, True)


def test_evidence_that_somebody_changed_in_the_database_is_found(study: Study, lena: User) -> None:
    decision = signed(study, lena)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE evals_decision DISABLE TRIGGER evals_decision_append_only")
        cursor.execute(
            "UPDATE evals_decision SET evidence = jsonb_set(evidence, '{verdict}', '\"GO\"')"
        )
        cursor.execute("ALTER TABLE evals_decision ENABLE TRIGGER evals_decision_append_only")

    code, found = verified(study)

    assert (code, found["intact"]) == (1, False)
    assert "verdict" in found["differences"]
    assert "NOT INTACT" in run("verify_decision", study.slug, str(decision.pk))[1]


@pytest.mark.usefixtures("fresh_cache")
def test_judgements_changed_behind_the_triggers_are_found(study: Study, lena: User) -> None:
    """Nothing that was kept is believed: only triggers say when it is out of date."""
    signed(study, lena)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE annotate_judgement DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE annotate_judgement SET choice = -choice, preference = -preference "
            "WHERE study_id = %s",
            [study.pk],
        )
        cursor.execute("ALTER TABLE annotate_judgement ENABLE TRIGGER USER")
    believed = deciding.evidence_of(deciding.weigh(study))["inputs"]["votes"]

    code, found = verified(study)

    assert code == 1
    assert "inputs.votes" in found["differences"]
    # The control: what is kept was not out of date by any trigger.
    assert believed == Decision.objects.get(study=study).evidence["inputs"]["votes"]


def test_other_code_that_gives_the_same_numbers_is_told_apart(
    study: Study, lena: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed(study, lena)
    monkeypatch.setattr("evals.deciding.evidence.made_by", lambda: made_by() | {"version": "99.0"})

    code, found = verified(study)

    assert code == 0
    assert (found["same_bytes"], found["same_facts"], found["same_code"]) == (False, True, False)
    assert found["differences"] == ["made_by.version"]


def test_a_decision_that_is_not_there_is_one_line(study: Study, lena: User) -> None:
    nobody = run("verify_decision", study.slug)
    assert (nobody[0], nobody[2]) == (
        1, f"Nobody has signed a decision of {study.slug} yet.\n"
    )  # fmt: skip
    decision = signed(study, lena)

    other = run("verify_decision", study.slug, str(uuid4()))

    assert (other[0], other[1]) == (1, "")
    assert str(decision.pk) in other[2]


# The name of the code.


def test_a_folder_has_the_name_that_git_gives_it(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.py").write_text("print(1)\n")
    (tmp_path / "a.py").write_text("")
    (tmp_path / "a" / "__pycache__").mkdir()
    (tmp_path / "a" / "__pycache__" / "one.cpython-311.pyc").write_bytes(b"\0")
    (tmp_path / "empty").mkdir()

    # By `git add --all && git write-tree` over the same files.
    assert tree_name(tmp_path).hex() == "7cd56ae5309869b37cab14e0df1c7e3c99c0a6af"
    assert EMPTY.hex() == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def test_the_code_is_named_without_git_and_follows_every_file() -> None:
    named = made_by()["code"]

    assert named == {room: tree_name(ROOT / room).hex() for room in ("annotate", "evals")}


# Another database.


@contextmanager
def restored(folder: Path) -> Iterator[None]:
    """Dump this database, restore the dump into a new one, and use that."""
    here, there = connection.settings_dict["NAME"], f"restored_{uuid4().hex[:12]}"
    settings = environment(connection.settings_dict)
    dump = folder / "all.dump"

    def program(*command: str) -> None:
        program = shutil.which(command[0], path=settings["PATH"])
        assert program is not None
        subprocess.run([program, *command[1:]], env=settings, check=True)

    program("pg_dump", "--format=custom", f"--file={dump}")
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{there}"')
    try:
        program("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={there}", str(dump))
        _use(there)
        yield
    finally:
        _use(here)
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{there}" WITH (FORCE)')


def _use(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


@pytest.mark.django_db(transaction=True)
def test_a_restored_dump_gives_the_same_bytes(tmp_path: Path) -> None:
    study, lena = judged_and_run(), make_user("Lena", role="lead")
    decision = signed(study, lena)
    deciding.sign_second(decision, make_user("Adam", role="admin"), seen=decision.digest)
    here = run("verify_decision", study.slug, "--json")
    before = json.dumps(deciding.evidence_again(decision), sort_keys=True).encode()

    with restored(tmp_path):
        there = run("verify_decision", study.slug, "--json")
        kept = Decision.objects.select_related("study", "policy").get(pk=decision.pk)
        after = json.dumps(deciding.evidence_again(kept), sort_keys=True).encode()
        second = kept.second_signature.signed_name

    assert here == there
    assert json.loads(there[1])["decisions"][0]["same_bytes"] is True
    assert hashlib.sha256(after).digest() == hashlib.sha256(before).digest()
    assert second == "Adam (adam@example.org)"
