"""Slots: the tasks of a batch, and more or fewer of them when the overlap changes.

Sides are drawn here and nowhere else. Within an item the candidate stands as often on the
left as on the right (an odd overlap leaves one over), and over the whole study the numbers
of left and right differ by at most one, as long as nothing that people did forbids it.
"""

import secrets
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from annotate.models import Batch, Study
from config.postgresql.bulk import forget_plans, whole_tables

# Items in drawn order; of each item's slots half have the candidate on the left and half on
# the right, in drawn order too. Where the overlap is odd the middle slots take turns, beginning
# on the side that the study has less of: in an order drawn apart, for in the order in which
# items are handed out the turns could be seen, and one output that is recognised would tell all.
DRAW_SLOTS = """
CREATE TEMPORARY TABLE drawn_slots ON COMMIT DROP AS
WITH drawn AS (
    SELECT id, row_number() OVER (ORDER BY md5(%(seed)s || position), position) AS n,
           row_number() OVER (ORDER BY md5(%(seed)s || 'turn/' || position), position) AS turn
    FROM annotate_item WHERE batch_id = %(batch)s
), placed AS (
    SELECT id, n, turn, slot,
           row_number() OVER (PARTITION BY id ORDER BY md5(%(seed)s || n || '/' || slot)) AS place
    FROM drawn CROSS JOIN generate_series(1, %(overlap)s) AS slot
), sided AS (
    SELECT id, n, slot,
           CASE WHEN place * 2 <= %(overlap)s THEN 'left'
                WHEN place * 2 > %(overlap)s + 1 THEN 'right'
                WHEN (turn + %(offset)s) %% 2 = 0 THEN 'left'
                ELSE 'right' END AS side
    FROM placed ORDER BY n, slot
)
SELECT id, n, slot, side, nextval('annotate_task_rank') AS rank FROM sided
"""
# Rows go in by item: the indexes and the foreign key then meet the same pages again and again.
# The ids are as good as random to whoever lacks the secret; to ask the system for each of some
# hundred thousand random ids takes longer than all the rest of it.
INSERT_TASKS = """
INSERT INTO annotate_task (id, study_id, item_id, slot, candidate_side, rank, state, version,
                           skip_reason, skip_note)
SELECT encode(substr(sha256(convert_to(%(secret)s || n || '/' || slot, 'UTF8')), 1, 16),
              'hex')::uuid,
       %(study)s, id, slot, side, rank, 'free', 0, '', ''
FROM drawn_slots WHERE id > %(after)s AND id <= %(last)s ORDER BY id, slot
"""
CUTS = """
SELECT max(id) FROM (
    SELECT id, ntile(%(pieces)s) OVER (ORDER BY id) AS piece
    FROM annotate_item WHERE batch_id = %(batch)s
) AS cut GROUP BY piece ORDER BY piece
"""
ITEMS_A_PIECE = 5_000

SIDE_SURPLUS = """
SELECT count(*) FILTER (WHERE candidate_side = 'left')
     - count(*) FILTER (WHERE candidate_side = 'right')
FROM annotate_task WHERE study_id = %s AND state IN ('free', 'claimed', 'judged')
"""

# How many slots each item shall have with the candidate on the left (`lefts`), of `total`.
# `lowest` and `highest` are what the rows that stay allow. Where the half is a whole number,
# or where only one of the two halves can be reached, there is nothing to draw; the other
# items are drawn, exactly as many to the left as the rest of the study needs.
TARGETS = """
bounded AS (
    SELECT counted.*,
           greatest(lowest, least(highest, total / 2)) AS fewer,
           greatest(lowest, least(highest, (total + 1) / 2)) AS more,
           md5(%(seed)s || mark) AS lot
    FROM counted
), drawn AS (
    SELECT bounded.*,
           CASE WHEN more > fewer THEN row_number() OVER (PARTITION BY more > fewer
                                                          ORDER BY lot, mark) END AS draw,
           count(*) FILTER (WHERE more > fewer) OVER () AS drawable,
           coalesce(sum(2 * fewer - total) FILTER (WHERE more = fewer) OVER (), 0) AS surplus
    FROM bounded
), targets AS (
    SELECT drawn.*,
           CASE WHEN draw IS NULL THEN fewer
                WHEN draw <= (drawable - surplus + 1) / 2 THEN more
                ELSE fewer END AS lefts
    FROM drawn
)
"""

LIVE = "state IN ('free', 'claimed', 'judged')"

# The lot that draws the sides must not order the queue: all of one side would come first.
ADD_SLOTS = f"""
WITH live AS (
    SELECT item.id AS item_id, batch.number || ':' || item.position AS mark,
           count(task.id) FILTER (WHERE task.candidate_side = 'left') AS l,
           count(task.id) FILTER (WHERE task.candidate_side = 'right') AS r
    FROM annotate_item AS item JOIN annotate_batch AS batch ON batch.id = item.batch_id
    LEFT JOIN annotate_task AS task ON task.item_id = item.id AND task.{LIVE}
    WHERE item.study_id = %(study)s GROUP BY item.id, batch.number
), counted AS (
    SELECT item_id, mark, l, r, greatest(l + r, %(new)s) AS total, l AS lowest,
           greatest(l + r, %(new)s) - r AS highest
    FROM live
), {TARGETS}, open_slots AS (
    SELECT targets.item_id, targets.mark, targets.lot, slot,
           targets.lefts - targets.l AS lefts_wanted,
           targets.total - targets.l - targets.r AS wanted,
           row_number() OVER (PARTITION BY targets.item_id ORDER BY slot) AS place,
           row_number() OVER (PARTITION BY targets.item_id
                              ORDER BY md5(%(seed)s || targets.mark || '/' || slot)) AS luck
    FROM targets CROSS JOIN generate_series(1, %(new)s) AS numbers (slot)
    WHERE NOT EXISTS (SELECT FROM annotate_task AS taken WHERE taken.item_id = targets.item_id
                      AND taken.slot = numbers.slot AND taken.{LIVE})
), lucky AS (
    SELECT item_id, mark, lot, slot, lefts_wanted,
           row_number() OVER (PARTITION BY item_id ORDER BY luck) AS luck
    FROM open_slots WHERE place <= wanted
)
INSERT INTO annotate_task (id, study_id, item_id, slot, candidate_side, rank, state, version,
                           skip_reason, skip_note)
SELECT gen_random_uuid(), %(study)s, item_id, slot,
       CASE WHEN luck <= lefts_wanted THEN 'left' ELSE 'right' END,
       nextval('annotate_task_rank'), 'free', 0, '', ''
FROM (SELECT * FROM lucky ORDER BY md5(lot), mark, slot) AS ordered
"""  # noqa: S608 (put together from constants)

REMOVE_SLOTS = f"""
WITH live AS (
    SELECT task.item_id, batch.number || ':' || item.position AS mark,
           count(*) FILTER (WHERE candidate_side = 'left' AND state <> 'free') AS l,
           count(*) FILTER (WHERE candidate_side = 'right' AND state <> 'free') AS r,
           count(*) FILTER (WHERE candidate_side = 'left' AND state = 'free') AS free_l,
           count(*) FILTER (WHERE candidate_side = 'right' AND state = 'free') AS free_r
    FROM annotate_task AS task JOIN annotate_item AS item ON item.id = task.item_id
    JOIN annotate_batch AS batch ON batch.id = item.batch_id
    WHERE task.study_id = %(study)s AND task.{LIVE}
    GROUP BY task.item_id, item.position, batch.number
), sized AS (
    SELECT live.*, greatest(l + r, least(l + r + free_l + free_r, %(new)s)) AS total FROM live
), counted AS (
    SELECT sized.*, greatest(l, total - r - free_r) AS lowest,
           least(l + free_l, total - r) AS highest
    FROM sized
), {TARGETS}, ordered AS (
    SELECT task.id, task.candidate_side, targets.lefts - targets.l AS lefts_kept,
           targets.total - targets.r - targets.lefts AS rights_kept,
           row_number() OVER (PARTITION BY task.item_id, task.candidate_side
                              ORDER BY task.slot) AS place
    FROM annotate_task AS task JOIN targets USING (item_id)
    WHERE task.state = 'free'
)
DELETE FROM annotate_task USING ordered
WHERE annotate_task.id = ordered.id AND annotate_task.state = 'free'
  AND ordered.place > CASE WHEN ordered.candidate_side = 'left' THEN lefts_kept
                           ELSE rights_kept END
"""  # noqa: S608 (put together from constants)


def make_tasks(batch: Batch, progress: Callable[[float], None] | None = None) -> None:
    """Make every slot of a batch, sides drawn, in the order in which they are handed out.

    `progress` is told the share that is done. What the rows refer to is checked piece by
    piece too, so nothing is left to be waited for at the end.
    """
    study = batch.study
    forget_plans()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SIDE_SURPLUS, [study.pk])
        (surplus,) = cursor.fetchone()
        cursor.execute("SET LOCAL work_mem = '64MB'; SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            DRAW_SLOTS,
            {
                "seed": f"{study.seed}:{batch.number}:",
                "batch": batch.pk,
                "overlap": study.overlap,
                "offset": 0 if surplus > 0 else 1,
            },
        )
        _insert_tasks(cursor, batch, progress)
        cursor.execute("DROP TABLE drawn_slots; SET CONSTRAINTS ALL DEFERRED")


def _insert_tasks(
    cursor: CursorWrapper, batch: Batch, progress: Callable[[float], None] | None
) -> None:
    pieces = max(1, batch.item_count // ITEMS_A_PIECE)
    cursor.execute(CUTS, {"pieces": pieces, "batch": batch.pk})
    values: dict[str, int | str] = {
        "study": batch.study_id,
        "secret": secrets.token_hex(32),
        "after": 0,
    }
    cuts = [last for (last,) in cursor.fetchall()]
    for done, last in enumerate(cuts, start=1):
        cursor.execute(INSERT_TASKS, values | {"last": last})
        values["after"] = last
        if progress is not None:
            progress(done / len(cuts))


def add_slots(study: Study, old: int, new: int) -> int:
    """Give every item of `study` as many slots as the overlap `new` asks for.

    Slots that exist stay as they are, whatever became of them, and ranks follow on those
    already given: a new slot lies ahead of every annotator. The caller holds the study's row.
    """
    if new < old:
        raise ValueError("add_slots only adds: fewer slots are for remove_slots.")
    return _run(ADD_SLOTS, study, new)


def remove_slots(study: Study, new: int) -> int:
    """Take free slots from items that have more than `new`; never what is claimed or judged."""
    return _run(REMOVE_SLOTS, study, new)


def _run(statement: str, study: Study, new: int) -> int:
    values: dict[str, Any] = {"study": study.pk, "new": new, "seed": f"{study.seed}:{new}:"}
    forget_plans()
    with transaction.atomic(), whole_tables(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
