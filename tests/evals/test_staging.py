"""Files between preview and yes."""

import io
import os
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from annotate.models import Study, User
from annotate.parsing import Source
from annotate.staging import CHUNK_BYTES
from evals.models import Staged, StagedChunk
from evals.staging import GoneError, discard, forget_staged, stage, staged_sources

pytestmark = pytest.mark.django_db


def source(content: bytes, name: str = "cases.jsonl") -> Source:
    return Source(name, len(content), lambda: io.BytesIO(content))


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, 2 * CHUNK_BYTES + 5])
def test_files_come_back_byte_for_byte(size: int) -> None:
    content = os.urandom(size)

    staged = stage("suite", [source(content), source(b"second", "answers.jsonl")])

    with staged_sources(Staged.objects.get(pk=staged.pk)) as sources:
        assert [one.name for one in sources] == ["cases.jsonl", "answers.jsonl"]
        assert [one.open().read() for one in sources] == [content, b"second"]
        assert [one.size for one in sources] == [size, 6]
    assert all(len(c) <= CHUNK_BYTES for c in StagedChunk.objects.values_list("content", flat=True))


def test_a_stream_that_gives_less_than_asked_is_kept_whole() -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 1000))

    content = os.urandom(CHUNK_BYTES + 10)

    staged = stage("suite", [Source("a.csv", None, lambda: Trickle(content))])

    assert staged.file_sizes == [len(content)]
    with staged_sources(staged) as (one,):
        assert one.open().read() == content


def test_what_was_chosen_and_found_is_kept_beside_the_files(study: Study, adam: User) -> None:
    staged = stage(
        "outputs",
        [source(b"{}")],
        study=study,
        uploaded_by=adam,
        options={"system": "candidate"},
        report={"records": 3},
    )

    again = Staged.objects.get(pk=staged.pk)
    assert (again.study, again.uploaded_by) == (study, adam)
    assert (again.options, again.report) == ({"system": "candidate"}, {"records": 3})


def test_discarded_files_are_gone_with_their_bytes() -> None:
    kept, thrown = stage("suite", [source(b"a")]), stage("suite", [source(b"b")])

    assert discard(thrown)

    assert not discard(thrown)
    assert list(Staged.objects.all()) == [kept]
    assert StagedChunk.objects.count() == 1
    with pytest.raises(GoneError), staged_sources(thrown):
        pass


def test_files_nobody_came_back_to_are_forgotten_after_a_week() -> None:
    old, young = stage("suite", [source(b"a")]), stage("suite", [source(b"b")])
    Staged.objects.filter(pk=old.pk).update(created_at=Now() - timedelta(days=7, minutes=1))
    Staged.objects.filter(pk=young.pk).update(created_at=Now() - timedelta(days=6, hours=23))

    assert forget_staged() == 1

    assert list(Staged.objects.all()) == [young]


def test_new_files_make_room_for_themselves() -> None:
    old = stage("suite", [source(b"a")])
    Staged.objects.filter(pk=old.pk).update(created_at=Now() - timedelta(days=8))

    new = stage("suite", [source(b"b")])

    assert list(Staged.objects.all()) == [new]
