"""The form of a file of judgements: the file, and how it is to be read."""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from annotate.forms.batches import clean_column
from annotate.parsing.judgements import JudgementOptions
from annotate.reports import storable

if TYPE_CHECKING:
    File = UploadedFile[Any]
else:
    File = UploadedFile


class ReadingForm(forms.Form):
    """How a file is read. Columns come as repeated fields `column`, `was` and `means`."""

    left = forms.ChoiceField(
        label="What stood on the left",
        help_text="Only for files that say left and right.",
        choices=[
            ("", "The file says so, or it does not matter"),
            ("baseline", "The baseline"),
            ("candidate", "The candidate"),
        ],
        required=False,
    )
    baseline = forms.CharField(
        label="What the file calls the baseline",
        help_text="Only for files that compare several models.",
        max_length=200,
        required=False,
    )
    candidate = forms.CharField(
        label="What the file calls the candidate", max_length=200, required=False
    )
    annotator = forms.CharField(
        label="Who judged",
        help_text="Only for files that name nobody: one name for all of it.",
        max_length=100,
        required=False,
    )
    with_items = forms.BooleanField(
        label="Bring the items too",
        help_text="Makes a batch of the prompts and outputs in the file first, for a study that "
        "does not have them.",
        required=False,
    )

    def options(self) -> JudgementOptions:
        """What was chosen, once the form is valid."""
        said = self.cleaned_data
        return JudgementOptions(
            mapping=_mapping(self.data),
            left=said["left"],
            baseline=storable(said["baseline"]),
            candidate=storable(said["candidate"]),
            annotator=storable(said["annotator"]),
        )

    @property
    def brings_items(self) -> bool:
        return bool(self.cleaned_data["with_items"])


class JudgementFileForm(ReadingForm):
    """A new file of judgements."""

    file = forms.FileField(label="File", allow_empty_file=True)
    field_order = ["file", "with_items", "left", "baseline", "candidate", "annotator"]

    def uploaded(self) -> "File":
        file: File = self.cleaned_data["file"]
        return file


def _mapping(data: Any) -> dict[str, str]:
    """Columns of which somebody chose the meaning, now or before; others are recognised anew."""
    if not isinstance(data, QueryDict):
        return {}
    rows = zip(data.getlist("column"), data.getlist("was"), data.getlist("means"), strict=False)
    return {
        column: storable(means)[:100]
        for key, was, means in rows
        if means != was and (column := _column(key))
    }


def _column(key: str) -> str:
    try:
        column = json.loads(key)
    except (ValueError, RecursionError):
        return ""
    return clean_column(column) if isinstance(column, str) else ""
