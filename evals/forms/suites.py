"""The forms of suites: their files, what they are called and how they are read."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from annotate.reports import NAME_CHARS, storable
from evals.formats import SHIPPED
from evals.suites import SuiteNameError, valid_name

if TYPE_CHECKING:
    File = UploadedFile[Any]
else:
    File = UploadedFile

FORMATS = (
    ("", "What it is recognised as"),
    ("suite", "A suite of cases: JSON Lines, JSON, YAML, CSV"),
    ("bfcl", "BFCL questions, with their accepted answers"),
    ("openai_evals", "OpenAI evals samples"),
    ("fine_tuning", "Fine-tuning examples: what they teach is expected"),
    ("mt_bench", "MT-bench questions"),
)


class SuiteForm(forms.Form):
    """What a suite is called and how its files are read."""

    name = forms.CharField(
        label="Name",
        help_text="For commands and links: letters, digits, - and _. Under a name that exists "
        "it becomes the next version. Left empty, it is called after its file.",
        max_length=80,
        required=False,
    )
    title = forms.CharField(
        label="Title",
        help_text="What pages call it.",
        max_length=NAME_CHARS,
        required=False,
    )
    format = forms.ChoiceField(label="Read the file as", choices=FORMATS, required=False)

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        try:
            return valid_name(name) if name else ""
        except SuiteNameError as error:
            raise forms.ValidationError(str(error)) from error

    def clean_title(self) -> str:
        return storable(self.cleaned_data["title"]).strip()

    def options(self) -> dict[str, str]:
        """What was chosen, once the form is valid."""
        return {name: self.cleaned_data[name] for name in ("name", "title", "format")}


class SuiteUploadForm(SuiteForm):
    """A new upload: a suite, or two files that belong together."""

    file = forms.FileField(label="File", allow_empty_file=True)
    file2 = forms.FileField(
        label="Second file",
        help_text="Only for formats in two files, such as BFCL: its accepted answers.",
        allow_empty_file=True,
        required=False,
    )
    field_order = ("file", "file2", "name", "title", "format")

    def uploaded(self) -> "list[File]":
        named = (self.cleaned_data["file"], self.cleaned_data["file2"])
        return [file for file in named if file is not None]


class ShippedForm(forms.Form):
    """One of the suites that come with the product."""

    name = forms.ChoiceField(choices=[(suite.name, suite.title) for suite in SHIPPED])
