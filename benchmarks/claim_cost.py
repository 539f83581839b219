"""What a claim costs after 10 and after 100,000 judgements by the same person.

    python -m benchmarks.claim_cost

A study of 150,000 items with two slots each. One annotator judges the first items of the
queue, the second slot of each stays free: just the rows that a naive claim would walk over
again each time. Printed: the median of 200 claims at both points in one run, their ratio,
and the plan of the query that finds the next slot.
"""

import statistics
import time

from benchmarks.scratch import scratch_database

ITEMS = 150_000
OVERLAP = 2
CLAIMS = 200

FILL = """
INSERT INTO annotate_item (public_id, study_id, batch_id, position, category, prompt,
                           baseline_output, candidate_output, metadata)
SELECT gen_random_uuid(), %(study)s, %(batch)s, n, 'general', 'Question ' || n,
       'Answer one to ' || n, 'Answer two to ' || n, '{}'
FROM generate_series(1, %(items)s) AS n
"""
# The queue's first items, in the order in which they are handed out.
JUDGE = """
WITH mine AS (
    SELECT DISTINCT ON (rank_of_item) id FROM (
        SELECT id, min(rank) OVER (PARTITION BY item_id) AS rank_of_item, rank
        FROM annotate_task t WHERE study_id = %(study)s AND state = 'free'
        AND NOT EXISTS (SELECT FROM annotate_task m
                        WHERE m.item_id = t.item_id AND m.annotator_id = %(me)s)
    ) AS ranked ORDER BY rank_of_item, rank LIMIT %(count)s
), judged AS (
    UPDATE annotate_task SET state = 'judged', annotator_id = %(me)s, version = 1,
           claimed_at = now(), judged_at = now()
    WHERE id IN (SELECT id FROM mine) RETURNING id, study_id, candidate_side, rank
), said AS (
    INSERT INTO annotate_judgement (id, study_id, task_id, annotator_id, version, candidate_side,
           scale, choice, preference, both_bad, comment, active_ms, wall_ms, source,
           submission_key, payload_digest)
    SELECT gen_random_uuid(), study_id, id, %(me)s, 1, candidate_side, 3, 0, 0, false, '', 0, 0,
           'blind', gen_random_uuid(), '' FROM judged
)
SELECT max(rank) FROM judged
"""


def main() -> None:
    with scratch_database("claim"):
        measure()


def measure() -> None:
    # The models exist once Django is set up.
    from django.db import connection  # noqa: PLC0415

    from annotate.claiming import claim_task, release_task  # noqa: PLC0415
    from annotate.models import Assignment, Batch, Study, Task, User  # noqa: PLC0415
    from annotate.slots import make_tasks  # noqa: PLC0415

    me = User.objects.create_user("bench@example.org")
    study = Study.objects.create(
        slug="bench",
        name="Bench",
        baseline_name="a",
        candidate_name="b",
        seed=1,
        overlap=OVERLAP,
        state="open",
    )
    batch = Batch.objects.create(
        study=study, number=1, name="b", format="none", digest="0", item_count=ITEMS
    )
    assignment = Assignment.objects.create(study=study, annotator=me)
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"study": study.pk, "batch": batch.pk, "items": ITEMS})
    started = time.perf_counter()
    make_tasks(batch)
    print(f"{ITEMS * OVERLAP:,} slots made in {time.perf_counter() - started:.1f} s")

    def judge(count: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(JUDGE, {"study": study.pk, "me": me.pk, "count": count})
            (rank,) = cursor.fetchone()
        Assignment.objects.filter(pk=assignment.pk).update(cursor=rank, judged_count=count)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE annotate_task")  # as autovacuum does

    def claims() -> float:
        times = []
        for _ in range(CLAIMS):
            started = time.perf_counter()
            task = claim_task(study, me)
            times.append(time.perf_counter() - started)
            release_task(task.pk, me)
        return statistics.median(times) * 1000

    def plan() -> str:
        fresh = Assignment.objects.get(pk=assignment.pk)
        ahead = Task.objects.claimable_by(fresh).filter(rank__gt=fresh.cursor).order_by("rank")[:1]
        return str(ahead.explain(analyze=True, buffers=True, costs=False))

    judge(10)
    few, few_plan = claims(), plan()
    judge(99_990)
    many, many_plan = claims(), plan()
    print(f"claim after      10 judgements: {few:.2f} ms (median of {CLAIMS})")
    print(f"claim after 100,000 judgements: {many:.2f} ms, ratio {many / few:.2f}")
    print(f"\nplan after 10\n{few_plan}\n\nplan after 100,000\n{many_plan}")


if __name__ == "__main__":
    main()
