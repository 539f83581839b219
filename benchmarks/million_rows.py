"""A large study as it comes to be: skewed annotators and categories, ties, corrections, skips."""

from typing import Any

CATEGORIES = 40
CRITERIA = 5

ITEMS = """
INSERT INTO annotate_item (public_id, study_id, batch_id, position, category, prompt,
                           baseline_output, candidate_output, metadata)
SELECT gen_random_uuid(), %(study)s, (%(batches)s::bigint[])[1 + n * 10 / (%(last)s + 1)], n,
       'category ' || floor(random() ^ 3 * %(categories)s), 'Question ' || n,
       repeat('word ', 30 + (n %% 90)::int), repeat('word ', 20 + (n * 7 %% 110)::int), '{}'
FROM generate_series(%(first)s, %(last)s) AS n
"""
# Three different people an item, and few of them do most. One slot in 500 is surplus: it was
# judged, but somebody else had taken the slot.
TASKS = """
WITH drawn AS MATERIALIZED (
    SELECT id, study_id, position, floor(random() ^ 2 * %(count)s)::int AS first,
           1 + floor(random() ^ 2 * (%(count)s / 3))::int AS second,
           %(count)s / 2 + floor(random() ^ 2 * (%(count)s / 3))::int AS third,
           now() - make_interval(secs => (90 - position * 90.0 / %(last)s) * 86400) AS at
    FROM annotate_item WHERE study_id = %(study)s AND position BETWEEN %(first)s AND %(last)s
)
INSERT INTO annotate_task (id, study_id, item_id, slot, candidate_side, rank, state, annotator_id,
                           claimed_at, judged_at, version, skip_reason, skip_note)
SELECT gen_random_uuid(), study_id, id, slot,
       CASE (slot + position) %% 2 WHEN 0 THEN 'left' ELSE 'right' END,
       id * 10 + slot, CASE WHEN position %% 167 = 0 AND slot = 3 THEN 'surplus' ELSE 'judged' END,
       (%(people)s::uuid[])[1 + (first + CASE slot WHEN 1 THEN 0 WHEN 2 THEN second ELSE third END)
                                %% %(count)s],
       at, at + random() * interval '2 days', CASE WHEN random() < 0.02 THEN 2 ELSE 1 END, '', ''
FROM drawn, generate_series(1, 3) AS slot
"""
SKIPPED = """
INSERT INTO annotate_task (id, study_id, item_id, slot, candidate_side, rank, state, annotator_id,
                           claimed_at, version, skip_reason, skip_note)
SELECT gen_random_uuid(), t.study_id, t.item_id, 1, 'left', 0, 'skipped',
       (%(people)s::uuid[])[%(count)s], now(), 0, 'language', ''
FROM annotate_task t JOIN annotate_item i ON i.id = t.item_id
WHERE t.study_id = %(study)s AND i.position BETWEEN %(first)s AND %(last)s
      AND slot = 1 AND i.position %% 200 = 0
      AND NOT EXISTS (SELECT FROM annotate_task m WHERE m.item_id = t.item_id
                      AND m.annotator_id = (%(people)s::uuid[])[%(count)s])
"""
# Three answers in ten are the item's own; of the rest the candidate gets a little more.
JUDGEMENTS = """
WITH drawn AS MATERIALIZED (
    SELECT t.*, v.version AS of_version,
           CASE WHEN random() < 0.3 THEN (t.item_id * 31 %% 5)::int - 2
                ELSE floor(random() ^ 0.85 * 5)::int - 2 END AS said
    FROM annotate_task t JOIN annotate_item i ON i.id = t.item_id,
         generate_series(1, t.version) AS v(version)
    WHERE t.study_id = %(study)s AND position BETWEEN %(first)s AND %(last)s AND t.version > 0
)
INSERT INTO annotate_judgement (id, study_id, task_id, annotator_id, version, candidate_side,
       scale, choice, preference, both_bad, comment, active_ms, wall_ms, source,
       submission_key, payload_digest, created_at)
SELECT gen_random_uuid(), study_id, id, annotator_id, of_version, candidate_side, 5,
       CASE candidate_side WHEN 'left' THEN -said ELSE said END, said, said = 0 AND random() < 0.2,
       '', 4000 + random() ^ 3 * 90000, 100000, 'blind', gen_random_uuid(), md5(id::text), judged_at
FROM drawn
"""
RATINGS = """
INSERT INTO annotate_rating (judgement_id, criterion_id, preference, baseline_score,
                             candidate_score)
SELECT j.id, c.id,
       CASE c.kind WHEN 'comparative' THEN sign(j.preference + random() * 4 - 2)::int END,
       CASE c.kind WHEN 'score' THEN 1 + floor(random() ^ 0.7 * 5)::int END,
       CASE c.kind WHEN 'score' THEN 1 + floor(random() ^ 0.6 * 5)::int END
FROM annotate_judgement j JOIN annotate_task t ON t.id = j.task_id
JOIN annotate_item i ON i.id = t.item_id
JOIN annotate_criterion c ON c.study_id = j.study_id
WHERE j.study_id = %(study)s AND i.position BETWEEN %(first)s AND %(last)s
"""
COUNTED = """
UPDATE annotate_assignment a SET judged_count = t.judged
FROM (SELECT annotator_id, count(*) AS judged FROM annotate_task
      WHERE study_id = %(study)s AND state = 'judged' GROUP BY 1) AS t
WHERE a.annotator_id = t.annotator_id AND a.study_id = %(study)s
"""
# Looked up once for all rows, not for each of them.
REFERENCES = """
SELECT conrelid::regclass, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND conrelid IN ('annotate_judgement'::regclass, 'annotate_rating'::regclass)
"""
# As autovacuum does after as many rows.
SETTLED = (
    "VACUUM ANALYZE annotate_judgement, annotate_task, annotate_item, annotate_rating, "
    "annotate_assignment"
)


def make_study(annotators: int) -> tuple[Any, list[Any]]:
    """An empty study with its people, ids of these in the order of how much they do."""
    # The models exist once Django is set up.
    from annotate.models import Assignment, Batch, Criterion, Study, User  # noqa: PLC0415

    study = Study.objects.create(
        slug="million", name="Million", baseline_name="old", candidate_name="new", seed=1,
        scale=5, state="open",
    )  # fmt: skip
    for number in range(1, 11):
        Batch.objects.create(study=study, number=number, name=f"Batch {number}", digest=number)
    for number in range(1, CRITERIA + 1):
        kind = "score" if number == CRITERIA else "comparative"
        Criterion.objects.create(
            study=study, key=f"c{number}", name=f"Criterion {number}", kind=kind, position=number
        )
    people = User.objects.bulk_create(
        User(email=f"p{n}@example.org", name=f"Person {n}", role="annotator", password="!")  # noqa: S106
        for n in range(annotators)
    )
    Assignment.objects.bulk_create(Assignment(study=study, annotator=one) for one in people)
    return study, [person.pk for person in people]


def fill(study: Any, people: list[Any], done: int, items: int) -> None:
    """Judge items number `done` + 1 to `items`, each three times."""
    from django.db import connection  # noqa: PLC0415

    given = {
        "study": study.pk,
        "first": done + 1,
        "last": items,
        "people": people,
        "count": len(people),
        "categories": CATEGORIES,
        "batches": list(study.batches.order_by("number").values_list("pk", flat=True)),
    }
    with connection.cursor() as cursor:
        cursor.execute(REFERENCES)
        references = cursor.fetchall()
        for table, name, _ in references:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for statement in (ITEMS, TASKS, SKIPPED, JUDGEMENTS, RATINGS, COUNTED):
            cursor.execute(statement, given)
            cursor.execute("ANALYZE annotate_item, annotate_task, annotate_judgement")
        for table, name, definition in references:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        cursor.execute(SETTLED)
