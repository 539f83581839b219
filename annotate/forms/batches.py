"""The form of an upload: its files, and how they are to be read."""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from annotate.parsing import SEPARATORS
from annotate.previewing import MEANINGS
from annotate.uploading import Choices, clean_name

if TYPE_CHECKING:
    File = UploadedFile[Any]
else:
    File = UploadedFile

KNOWN = {means for means, _ in MEANINGS}


class ChoicesForm(forms.Form):
    """How the files are read. Columns come as repeated fields `column`, `was` and `means`."""

    name = forms.CharField(
        label="Name of the batch",
        help_text="Left empty, it is called after its file.",
        max_length=120,
        required=False,
    )
    swap = forms.BooleanField(
        label="Swap the sides",
        help_text="What is taken for the baseline is the candidate’s, and the other way round.",
        required=False,
    )
    allow_empty = forms.BooleanField(
        label="Allow empty outputs",
        help_text="An empty output is shown as “(empty)” and judged like any other.",
        required=False,
    )

    separator = forms.ChoiceField(
        choices=[("", ""), *((name, name) for name in SEPARATORS)],
        widget=forms.HiddenInput,
        required=False,
    )

    def choices(self) -> Choices:
        """What was chosen, once the form is valid."""
        return Choices(
            mapping=_mapping(self.data),
            swap=self.cleaned_data["swap"],
            allow_empty=self.cleaned_data["allow_empty"],
            name=clean_name(self.cleaned_data["name"]),
            separator=self.cleaned_data["separator"],
        )

    @property
    def says_how_to_read(self) -> bool:
        """Whether columns were sent; without them, what was chosen before holds."""
        return "column" in self.data


class UploadForm(ChoicesForm):
    """A new upload: one file of pairs, or the baseline's file and the candidate's."""

    file = forms.FileField(label="File", allow_empty_file=True)
    file2 = forms.FileField(
        label="Second file",
        help_text="Only if each system has a file of its own: then this is the candidate’s.",
        allow_empty_file=True,
        required=False,
    )
    field_order = ["file", "file2", "name", "swap", "allow_empty", "separator"]

    def uploaded(self) -> "list[File]":
        named = (self.cleaned_data["file"], self.cleaned_data["file2"])
        return [file for file in named if file is not None]


def _mapping(data: Any) -> dict[str, str]:
    """Columns of which somebody chose the meaning, now or before; others are recognised anew."""
    if not isinstance(data, QueryDict):
        return {}
    rows = zip(data.getlist("column"), data.getlist("was"), data.getlist("means"), strict=False)
    return {
        column: means
        for key, was, means in rows
        if means != was and means in KNOWN and (column := _column(key))
    }


def _column(key: str) -> str:
    try:
        column = json.loads(key)
    except (ValueError, RecursionError):
        return ""
    return clean_column(column) if isinstance(column, str) else ""


def clean_column(column: str) -> str:
    return column.replace("\x00", "").encode("utf-8", "ignore").decode()
