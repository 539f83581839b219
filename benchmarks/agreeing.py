"""What the pages of agreement cost as judgements grow: python -m benchmarks.agreeing.

    python -m benchmarks.agreeing [--judgements 100000] [--annotators 20]

A study of seven points with four criteria (one of them scored for each side), three
judgements of each item, eight categories, four batches, spread over sixty days. Printed: the
page, the region that loads after it, and the list of pairs, as their views answer, best of
three, at a tenth of the judgements and at all of them; and how many statements they take.
"""

import argparse
import time
from typing import Any

from benchmarks.scratch import scratch_database

PAGES = ("agreement", "agreement_parts", "agreement_pairs")

ITEMS = """
INSERT INTO annotate_item (public_id, study_id, batch_id, position, category, prompt,
                           baseline_output, candidate_output, metadata)
SELECT gen_random_uuid(), %(study)s, (%(batches)s::bigint[])[1 + n %% 4], n,
       'category ' || n %% 8, 'Question ' || n, repeat('word ', 100 + n %% 90),
       repeat('word ', 100 + n %% 70), '{}'
FROM generate_series(%(first)s, %(last)s) AS n
"""
TASKS = """
INSERT INTO annotate_task (id, study_id, item_id, slot, candidate_side, rank, state, annotator_id,
                           claimed_at, judged_at, version, skip_reason, skip_note)
SELECT gen_random_uuid(), study_id, i.id, slot, CASE slot %% 2 WHEN 0 THEN 'left' ELSE 'right' END,
       i.id * 10 + slot, 'judged',
       (%(people)s::uuid[])[1 + (i.id + slot * (1 + i.id / %(count)s %% 6)) %% %(count)s],
       now(), now() - make_interval(mins => (i.id * 7919 %% 86400)::int), 1, '', ''
FROM annotate_item i, generate_series(1, 3) AS slot
WHERE study_id = %(study)s AND position BETWEEN %(first)s AND %(last)s
"""
# Half of the answers are the item's own, the other half anybody's.
JUDGEMENTS = """
WITH drawn AS (
    SELECT t.*, CASE WHEN random() < 0.5 THEN (t.item_id * 31 %% 7)::int - 3
                ELSE floor(random() * 7)::int - 3 END AS said
    FROM annotate_task t JOIN annotate_item i ON i.id = t.item_id
    WHERE t.study_id = %(study)s AND position BETWEEN %(first)s AND %(last)s
)
INSERT INTO annotate_judgement (id, study_id, task_id, annotator_id, version, candidate_side,
       scale, choice, preference, both_bad, comment, active_ms, wall_ms, source,
       submission_key, payload_digest)
SELECT gen_random_uuid(), study_id, id, annotator_id, 1, candidate_side, 7,
       CASE candidate_side WHEN 'left' THEN -said ELSE said END, said, said = 0 AND random() < 0.2,
       '', 0, 0, 'blind', gen_random_uuid(), '' FROM drawn
"""
RATINGS = """
INSERT INTO annotate_rating (judgement_id, criterion_id, preference, baseline_score,
                             candidate_score)
SELECT j.id, c.id,
       CASE c.kind WHEN 'comparative' THEN sign(j.preference + random() * 4 - 2)::int END,
       CASE c.kind WHEN 'score' THEN 1 + floor(random() * 5)::int END,
       CASE c.kind WHEN 'score' THEN 1 + floor(random() * 5)::int END
FROM annotate_judgement j JOIN annotate_task t ON t.id = j.task_id
JOIN annotate_item i ON i.id = t.item_id
JOIN annotate_criterion c ON c.study_id = j.study_id
WHERE j.study_id = %(study)s AND i.position BETWEEN %(first)s AND %(last)s
"""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--judgements", type=int, default=100_000)
    asked.add_argument("--annotators", type=int, default=20)
    given = asked.parse_args()
    with scratch_database("agreeing"):
        measure(given.judgements // 3, given.annotators)


def measure(items: int, annotators: int) -> None:
    # The models exist once Django is set up.
    from django.db import connection  # noqa: PLC0415

    study, people = make_study(annotators)
    times: list[list[float]] = []
    done = 0
    for upto in (items // 10, items):
        given = {"study": study.pk, "first": done + 1, "last": upto, "people": people,
                 "count": annotators, "batches": [b.pk for b in study.batches.all()]}  # fmt: skip
        with connection.cursor() as cursor:
            for statement in (ITEMS, TASKS, JUDGEMENTS, RATINGS):
                cursor.execute(statement, given)
            cursor.execute(
                "ANALYZE annotate_judgement, annotate_task, annotate_item, annotate_rating"
            )
        done = upto
        print(f"{upto * 3:,} judgements")
        times.append([page(study, name) for name in PAGES])
    for name, few, many in zip(PAGES, *times, strict=True):
        print(f"{name}: ten times the judgements take {many / few:.1f} times as long")


def make_study(annotators: int) -> tuple[Any, list[Any]]:
    from annotate.models import Batch, Criterion, Study, User  # noqa: PLC0415

    study = Study.objects.create(
        slug="agreeing", name="Agreeing", baseline_name="old", candidate_name="new", seed=1,
        scale=7, state="closed",
    )  # fmt: skip
    for number in range(1, 5):
        Batch.objects.create(study=study, number=number, name=f"Batch {number}", digest=number)
        kind = "score" if number == 4 else "comparative"
        Criterion.objects.create(
            study=study, key=f"c{number}", name=f"Criterion {number}", kind=kind, position=number
        )
    people = [
        User.objects.create_user(f"p{n}@example.org", name=f"Person {n}") for n in range(annotators)
    ]
    return study, [person.pk for person in people]


def page(study: Any, name: str) -> float:
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415

    from annotate.models import User  # noqa: PLC0415

    lead, _ = User.objects.get_or_create(email="lead@example.org", role="lead", name="Lead")
    client = Client(headers={"host": "localhost", "HX-Request": "true"})
    client.force_login(lead)
    address, best = reverse(name, args=[study.slug]), float("inf")
    for _ in range(3):
        started = time.perf_counter()
        answer = client.get(address)
        best = min(best, time.perf_counter() - started)
        assert answer.status_code == 200, answer.status_code
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    spent = sum(float(query["time"]) for query in captured.captured_queries)
    print(f"    {name}: {best * 1000:,.0f} ms, of these about {spent * 1000:,.0f} ms in "
          f"{len(captured)} statements")  # fmt: skip
    return best


if __name__ == "__main__":
    main()
