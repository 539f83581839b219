"""The statements that find items and people and put judgements where they belong.

A file is copied into a table of its own that lives as long as the transaction; everything
after that happens inside PostgreSQL, so that neither memory nor time grows with round trips.
"""

# In a transaction that takes in two files, the tables of the first one are still there.
TABLES = """
DROP TABLE IF EXISTS received_said, received_found, received_people, received_rows;
CREATE TEMPORARY TABLE received_said (
    n bigint, line integer, row integer, item_id text, alternative text, batch text,
    prompt text, baseline text, candidate text, annotator text, strength smallint,
    both_bad boolean, side text, scale smallint, active_ms integer, judged_at timestamptz,
    comment text, comparisons jsonb, scores jsonb
) ON COMMIT DROP;
CREATE TEMPORARY TABLE received_found (n bigint, item bigint) ON COMMIT DROP;
CREATE TEMPORARY TABLE received_people (annotator text, person uuid) ON COMMIT DROP
"""
COPY_SAID = """
COPY received_said (n, line, row, item_id, alternative, batch, prompt, baseline, candidate,
                    annotator, strength, both_bad, side, scale, active_ms, judged_at, comment,
                    comparisons, scores) FROM STDIN
"""

# Each looks for what the ones before it have not found. The hash of an id has an index.
_IN_BATCH = "(said.batch = '' OR said.batch = batch.number::text OR said.batch = batch.name)"
_NOT_FOUND = "NOT EXISTS (SELECT FROM received_found AS found WHERE found.n = said.n)"
_FIND = f"""
INSERT INTO received_found
SELECT said.n, item.id
FROM received_said AS said
JOIN annotate_item AS item ON item.study_id = %(study)s AND {{same}}
JOIN annotate_batch AS batch ON batch.id = item.batch_id
WHERE {{given}} AND {_IN_BATCH} AND {_NOT_FOUND}
"""  # noqa: S608 (put together from constants)
FIND_ITEMS = tuple(
    _FIND.format(same=same, given=given)
    for same, given in (
        (
            "md5(item.item_id) = md5(said.item_id) AND item.item_id = said.item_id",
            "said.item_id <> ''",
        ),
        (
            "md5(item.item_id) = md5(said.alternative) AND item.item_id = said.alternative",
            "said.alternative <> ''",
        ),
        (
            "item.public_id::text IN (lower(said.item_id), lower(said.alternative))",
            "length(said.item_id || said.alternative) >= 36",
        ),
        (
            "md5(item.prompt) = said.prompt AND (said.baseline IS NULL OR said.candidate IS NULL "
            "OR (md5(item.baseline_output) = said.baseline "
            "AND md5(item.candidate_output) = said.candidate))",
            "said.item_id = '' AND said.alternative = '' AND said.prompt IS NOT NULL",
        ),
    )
)
ANY_LEFT = f"""
SELECT EXISTS (SELECT FROM received_said AS said WHERE {_NOT_FOUND})
"""  # noqa: S608 (put together from constants)
# Nothing is known of tables that are minutes old (a batch that came in with this file is one
# too), and a nested loop chosen for a handful of rows takes hours for a hundred thousand.
NO_LOOPS = "SET LOCAL enable_nestloop = off"
ANALYZE = "ANALYZE received_said; ANALYZE received_found; ANALYZE received_people"

# Faults: how many in all, and the first ones.
UNKNOWN = f"""
SELECT count(*) OVER (), line, row, item_id, batch FROM received_said AS said WHERE {_NOT_FOUND}
ORDER BY n LIMIT 100
"""  # noqa: S608 (put together from constants)
AMBIGUOUS = """
SELECT count(*) OVER (), said.line, said.row, said.item_id, many.times, many.batches
FROM received_said AS said JOIN (
    SELECT found.n, count(*) AS times,
           string_agg(DISTINCT batch.number::text, ', ') AS batches
    FROM received_found AS found JOIN annotate_item AS item ON item.id = found.item
    JOIN annotate_batch AS batch ON batch.id = item.batch_id
    GROUP BY found.n HAVING count(*) > 1
) AS many USING (n) ORDER BY n LIMIT 100
"""
SWAPPED = """
SELECT count(*) OVER (), said.line, said.row, said.item_id
FROM received_said AS said JOIN received_found AS found USING (n)
JOIN annotate_item AS item ON item.id = found.item
WHERE said.baseline = md5(item.candidate_output) AND said.candidate = md5(item.baseline_output)
  AND said.baseline <> said.candidate
ORDER BY n LIMIT 100
"""
OTHER_TEXTS = """
SELECT count(*) OVER (), said.line, said.row, said.item_id
FROM received_said AS said JOIN received_found AS found USING (n)
JOIN annotate_item AS item ON item.id = found.item
WHERE said.baseline <> md5(item.baseline_output) OR said.candidate <> md5(item.candidate_output)
ORDER BY n LIMIT 5
"""
_REPEATED = """
    SELECT said.n, said.line, said.row, said.item_id, said.annotator,
           first_value(said.line) OVER ordered AS first_line, row_number() OVER ordered AS place
    FROM received_said AS said JOIN received_found AS found USING (n)
    JOIN received_people AS people USING (annotator)
    WINDOW ordered AS (PARTITION BY found.item, people.person ORDER BY said.n)
"""
REPEATED = f"""
SELECT count(*) OVER (), line, row, item_id, annotator, first_line
FROM ({_REPEATED}) AS repeated WHERE place > 1 ORDER BY n LIMIT 100
"""  # noqa: S608 (put together from constants)
DROP_REPEATED = f"""
DELETE FROM received_said USING ({_REPEATED}) AS repeated
WHERE received_said.n = repeated.n AND repeated.place > 1
"""  # noqa: S608 (put together from constants)
# One judgement of one person on one item, for ever: the unique key of a submission says so.
_KEY = "md5('judged elsewhere ' || found.item || ' ' || people.person)::uuid"
ALREADY = f"""
SELECT count(*) OVER (), said.line, said.row, said.item_id, said.annotator, came.number,
       came.file_name
FROM received_said AS said JOIN received_found AS found USING (n)
JOIN received_people AS people USING (annotator)
JOIN annotate_judgement AS judgement ON judgement.submission_key = {_KEY}
JOIN annotate_judgementimport AS came ON came.id = judgement.received_id
ORDER BY n LIMIT 100
"""  # noqa: S608 (put together from constants)

PEOPLE = "SELECT annotator FROM received_said GROUP BY annotator LIMIT %(limit)s"
ROWS = f"""
CREATE TEMPORARY TABLE received_rows ON COMMIT DROP AS
SELECT said.*, found.item, people.person, {_KEY} AS key,
       gen_random_uuid() AS task, gen_random_uuid() AS judgement
FROM received_said AS said JOIN received_found AS found USING (n)
JOIN received_people AS people USING (annotator)
"""  # noqa: S608 (put together from constants)
TASKS = """
INSERT INTO annotate_task (id, study_id, item_id, slot, candidate_side, rank, state, version,
                           judged_at, skip_reason, skip_note)
SELECT task, %(study)s, item, 0, side, 0, 'imported', 1, judged_at, '', ''
FROM received_rows ORDER BY n
"""
# A scale of the file's own: the smallest that holds its strongest answer.
JUDGEMENTS = """
INSERT INTO annotate_judgement (id, study_id, task_id, item_id, annotator_id, version,
    candidate_side, scale, choice, preference, both_bad, comment, active_ms, wall_ms, source,
    received_id, submission_key, payload_digest)
SELECT judgement, %(study)s, task, item, person, 1, side,
       greatest(scale, (SELECT max(abs(strength)) FROM received_said) * 2 + 1, 3),
       CASE side WHEN 'right' THEN strength WHEN 'left' THEN -strength END,
       strength, both_bad, comment, active_ms, active_ms, 'imported', %(received)s, key,
       encode(sha256(convert_to(strength || ' ' || both_bad || ' ' || comparisons || ' ' || scores
                                || ' ' || comment, 'UTF8')), 'hex')
FROM received_rows ORDER BY n
"""
RATINGS = """
INSERT INTO annotate_rating (judgement_id, criterion_id, preference, baseline_score,
                             candidate_score)
SELECT judgement, criterion.id, said.value::int, NULL, NULL
FROM received_rows CROSS JOIN jsonb_each(comparisons) AS said
JOIN annotate_criterion AS criterion ON criterion.study_id = %(study)s AND criterion.key = said.key
UNION ALL
SELECT judgement, criterion.id, NULL, (said.value ->> 0)::int, (said.value ->> 1)::int
FROM received_rows CROSS JOIN jsonb_each(scores) AS said
JOIN annotate_criterion AS criterion ON criterion.study_id = %(study)s AND criterion.key = said.key
"""

TOTALS = """
SELECT count(*), count(DISTINCT item), count(DISTINCT person) FROM received_rows
"""
COUNTS = """
SELECT min(annotator), bool_and(person.outside_of_id IS NULL),
       count(*) FILTER (WHERE strength < 0),
       count(*) FILTER (WHERE strength = 0 AND NOT both_bad),
       count(*) FILTER (WHERE both_bad),
       count(*) FILTER (WHERE strength > 0)
FROM received_rows JOIN annotate_user AS person ON person.id = received_rows.person
GROUP BY person.id ORDER BY count(*) DESC, 1 LIMIT 50
"""
