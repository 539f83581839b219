"""Taking a file of judgements in: read, matched and copied in one transaction, or refused."""

import hashlib
import json
from dataclasses import asdict, replace

from django.db import connection, transaction
from django.db.models import Max

from annotate.intake import (
    NO_TIMEOUTS,
    ONE_AT_A_TIME,
    limits_of_this_site,
    name_from,
)
from annotate.models import Batch, Criterion, JudgementImport, State, Study, User
from annotate.parsing import Fault, Source
from annotate.parsing.judgements import (
    Asked,
    JudgementOptions,
    JudgementReading,
    JudgementReport,
)
from annotate.parsing.judgements import Study as StudyFacts
from annotate.receiving import statements
from annotate.receiving.items import bring_items
from annotate.receiving.matching import hold, match
from annotate.receiving.receipts import AnnotatorCount, Receipt
from annotate.reports import faults_as_json, short_name
from config.postgresql.bulk import forget_plans, renew_statistics


class _RollBackError(Exception):
    """Nothing of it stays: it was only looked at, or it is refused."""


def check_judgements(
    study: Study, source: Source, options: JudgementOptions, *, with_items: bool = False
) -> Receipt:
    """Read a file and say what would come in, or all that is wrong with it; write nothing."""
    return _receive(study, source, options, with_items=with_items, by=None, keep=False)


def import_judgements(
    study: Study,
    source: Source,
    options: JudgementOptions,
    *,
    with_items: bool = False,
    imported_by: User | None = None,
) -> Receipt:
    """Take in what people said elsewhere of the items of `study`, whole or not at all.

    `with_items` first makes a batch of the items that the file brings. Nothing of it fills a
    slot, and nobody is kept from judging the same item here.
    """
    return _receive(study, source, options, with_items=with_items, by=imported_by, keep=True)


def _receive(
    study: Study,
    source: Source,
    options: JudgementOptions,
    *,
    with_items: bool,
    by: User | None,
    keep: bool,
) -> Receipt:
    reading = JudgementReading(source, facts_of(study), options, limits_of_this_site())
    receipt = Receipt(reading.report)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(NO_TIMEOUTS)
                cursor.execute(ONE_AT_A_TIME, [study.pk])
            digest = judgement_digest(source, options, with_items=with_items)
            if refusal := _refusal(study, digest):
                receipt = _refused(refusal)
                raise _RollBackError
            batch, new_items = None, 0
            if with_items:
                batch = _bring(study, reading, source, by)
                new_items = batch.item_count if batch else 0
                if batch is None:
                    receipt = Receipt(reading.report)
                    raise _RollBackError
            hold(reading)
            receipt = _matched(study, reading.report, new_items)
            if not receipt.accepted or not keep:
                raise _RollBackError
            if refusal := _closed_meanwhile(study):
                receipt = _refused(refusal)
                raise _RollBackError
            taken = _store(study, source, options, receipt, digest, batch, by)
            receipt = replace(receipt, taken=taken)
    except _RollBackError:
        pass
    return receipt


def _bring(
    study: Study, reading: JudgementReading, source: Source, by: User | None
) -> Batch | None:
    intake = bring_items(study, reading, name=name_from([source]), by=by)
    return intake.batch if intake else None


def _refused(fault: Fault) -> Receipt:
    return Receipt(JudgementReport(errors=[fault], error_count=1))


def facts_of(study: Study) -> StudyFacts:
    asked = study.criteria.exclude(kind=Criterion.Kind.OFF)
    return StudyFacts(
        study.baseline_name,
        study.candidate_name,
        [Asked(one.key, one.name, one.kind) for one in asked],
    )


def judgement_digest(source: Source, options: JudgementOptions, *, with_items: bool) -> str:
    """SHA-256 of the file's bytes and of how it was read."""
    digest = hashlib.sha256()
    with source.open() as stream:
        while piece := stream.read(2**20):
            digest.update(piece)
    chosen = asdict(options) | {"mapping": dict(options.mapping), "with_items": with_items}
    digest.update(json.dumps(chosen, sort_keys=True).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _refusal(study: Study, digest: str) -> Fault | None:
    if closed := _closed(study):
        return closed
    same = JudgementImport.objects.filter(study=study, digest=digest).first()
    if same is None:
        return None
    text = (
        f"The same file, read the same way, came in before ({same.file_name}, number "
        f"{same.number}). Nothing was imported a second time."
    )
    return Fault("already_imported", text)


def _closed(study: Study) -> Fault | None:
    if Study.objects.get(pk=study.pk).state != State.CLOSED:
        return None
    return Fault("study_closed", f"Study '{study.slug}' is closed: it takes in nothing more.")


def _closed_meanwhile(study: Study) -> Fault | None:
    """From here on its state stands still: whoever closes it was seen, or waits for the end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM annotate_study WHERE id = %s FOR SHARE", [study.pk])
    return _closed(study)


def _matched(study: Study, report: JudgementReport, new_items: int) -> Receipt:
    """What would come in; faults of the matching join those of the reading in `report`."""
    match(study, report)
    if report.error_count:
        return Receipt(report, new_items=new_items)
    with connection.cursor() as cursor:
        cursor.execute(statements.ROWS)
        cursor.execute(statements.TOTALS)
        judgements, items, annotators = cursor.fetchone()
        cursor.execute(statements.COUNTS)
        counts = [AnnotatorCount(*row) for row in cursor.fetchall()]
    report.judgements = judgements
    return Receipt(report, None, judgements, items, annotators, new_items, counts)


def _store(
    study: Study,
    source: Source,
    options: JudgementOptions,
    receipt: Receipt,
    digest: str,
    batch: Batch | None,
    by: User | None,
) -> JudgementImport:
    report = receipt.report
    last = study.judgement_imports.aggregate(last=Max("number"))["last"] or 0
    taken = JudgementImport.objects.create(
        study=study,
        number=last + 1,
        file_name=short_name(source.name),
        format=report.format[:20],
        recognised=report.recognised[:80],
        digest=digest,
        columns=report.columns,
        options={key: value for key, value in asdict(options).items() if value},
        row_count=report.rows,
        judgement_count=receipt.judgements,
        item_count=receipt.items,
        annotator_count=receipt.annotators,
        left_out=report.left_out,
        warnings=faults_as_json(report.warnings),
        batch=batch,
        imported_by=by,
    )
    values = {"study": study.pk, "received": taken.pk}
    forget_plans()
    with connection.cursor() as cursor:
        for statement in (statements.TASKS, statements.JUDGEMENTS, statements.RATINGS):
            cursor.execute(statement, values)
    renew_statistics(receipt.judgements, "annotate_task", "annotate_judgement", "annotate_rating")
    return taken
