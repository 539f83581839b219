"""The forms of outputs: their files, whose they are, which suite they answer; and of scorers."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from annotate.models import Study
from annotate.reports import storable
from evals.formats import ScorerSpec
from evals.importing import Files, Reading
from evals.metrics import KINDS, ParameterError
from evals.models import Suite
from evals.scoring import spec_of

if TYPE_CHECKING:
    File = UploadedFile[Any]
else:
    File = UploadedFile

BOTH = "both"
SYSTEMS = ("candidate", "baseline")
MOST_SUITES = 200
JOINS = (
    ("auto", "Ids, else the words of the prompts"),
    ("id", "Ids alone"),
    ("prompt", "The words of the prompts alone"),
)
SCORERS = [(kind.name, kind.name.replace("_", " ")) for kind in KINDS]
NOT_IN_FILE = ("", "Not in this file")


def suite_choices() -> list[tuple[str, str]]:
    """The newest version of each suite that people see."""
    suites = (
        Suite.objects.exclude(format=Suite.DERIVED).order_by("name", "-version").distinct("name")
    )
    told = [(str(one.pk), f"{one.title} ({one.name}, v{one.version}, {one.case_count:,} cases)")
            for one in suites[:MOST_SUITES]]  # fmt: skip
    return [("", "Find it, or make one of the file"), *told]


class OutputsForm(forms.Form):
    """Whose outputs a file holds and which suite they answer.

    `names` is what the file calls its systems: where it has several, each is asked for. Which of
    several answers to a case is meant is asked only where there are some, and what a suite is to
    be called where one is made (`makes_suite`).
    """

    system = forms.ChoiceField(label="Whose outputs are these?")
    suite = forms.ChoiceField(
        label="Which suite do they answer?",
        help_text="Outputs are joined to its cases by id, else by the words of the prompt.",
        required=False,
    )
    join = forms.ChoiceField(label="Joined by", choices=JOINS, required=False)
    sample = forms.IntegerField(
        label="Which of several answers to a case", min_value=1, max_value=1_000_000, required=False
    )
    name = forms.CharField(
        label="Name of the suite that is made",
        help_text="Letters, digits, - and _. Left empty, it is called after the file.",
        max_length=80,
        required=False,
    )
    scorer = forms.ChoiceField(
        label="Scorer of the suite that is made",
        help_text="Where the file says what is expected.",
        choices=[("", "What is usual for what is expected"), *SCORERS],
        required=False,
    )

    def __init__(
        self,
        *args: Any,
        study: Study,
        names: Sequence[str] = (),
        samples: int = 1,
        makes_suite: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._names = list(names)
        aside = [] if samples > 1 else ["sample"]
        aside += [] if makes_suite else ["name", "scorer"]
        for name in aside:
            self.fields[name].widget = forms.HiddenInput()
        self.fields["system"].choices = [  # type: ignore[attr-defined]
            ("candidate", f"The candidate’s, {study.candidate_name}"),
            ("baseline", f"The baseline’s, {study.baseline_name}"),
            (BOTH, "Of both: the file holds several systems"),
        ]
        self.fields["suite"].choices = suite_choices()  # type: ignore[attr-defined]
        if len(self._names) > 1:
            self._ask_for_names(study)

    def _ask_for_names(self, study: Study) -> None:
        """Which is which, by its place: a name may be any text."""
        del self.fields["system"]
        choices = [NOT_IN_FILE, *((str(at), name[:200] or "(without a name)")
                                  for at, name in enumerate(self._names))]  # fmt: skip
        for system, called in zip(SYSTEMS, (study.candidate_name, study.baseline_name),
                                  strict=True):  # fmt: skip
            self.fields[system] = forms.ChoiceField(
                label=f"The {system}, {called}, is", choices=choices, required=False
            )
        self.order_fields([*SYSTEMS, *self.fields])

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if len(self._names) < 2:
            return given
        picks = [given.get(system) for system in SYSTEMS if given.get(system)]
        if not picks:
            self.add_error("candidate", "Choose what the file calls the candidate, or the baseline")
        elif len(picks) != len(set(picks)):
            self.add_error("baseline", "This is chosen as the candidate. Choose another")
        return given

    def options(self) -> dict[str, Any]:
        """What was chosen, as it is kept with the files."""
        given = self.cleaned_data
        told = {name: given.get(name) or "" for name in ("system", "suite", "scorer")}
        told["join"] = given.get("join") or "auto"
        told["name"] = storable(given.get("name") or "").strip()
        told["sample"] = given.get("sample") or 1
        told["picks"] = {
            system: self._names[int(given[system])] for system in SYSTEMS if given.get(system)
        }
        return told

    @staticmethod
    def initial_of(options: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
        """Kept options as a form shows them."""
        picks = options.get("picks", {})
        places = {system: str(list(names).index(name)) for system, name in picks.items()
                  if name in names}  # fmt: skip
        return {**options, **places}


class OutputsUploadForm(OutputsForm):
    """A new upload; how it is read in detail is asked when its content is known."""

    file = forms.FileField(label="File", allow_empty_file=True)
    file2 = forms.FileField(
        label="Second file",
        help_text="Only what belongs to the first: the requests or the errors of an OpenAI Batch, "
        "the questions of MT-bench.",
        allow_empty_file=True,
        required=False,
    )
    field_order = ("file", "file2", "system", "suite")

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, study=study, **kwargs)
        for name in ("join", "sample", "name", "scorer"):
            del self.fields[name]

    def uploaded(self) -> "list[File]":
        named = (self.cleaned_data["file"], self.cleaned_data["file2"])
        return [file for file in named if file is not None]


def guessed(study: Study, names: Sequence[str], options: Mapping[str, Any]) -> dict[str, str]:
    """Systems that the file calls like the study does, while nobody has said which is which."""
    if options.get("picks"):
        return {}
    found = {}
    for system, called in zip(SYSTEMS, (study.candidate_name, study.baseline_name), strict=True):
        places = [at for at, name in enumerate(names) if called.casefold() in name.casefold()]
        if len(places) == 1:
            found[system] = str(places[0])
    return found if len(set(found.values())) == len(found) else {}


def picks_of(options: Mapping[str, Any]) -> dict[str, str | None]:
    """What the file calls each system that is wanted; None where it has only one."""
    picks = dict(options.get("picks") or {})
    if picks:
        # The baseline first: where a suite is made of the file, it is made of its prompts.
        return {system: picks[system] for system in ("baseline", "candidate") if system in picks}
    system = options.get("system")
    return {system if system in SYSTEMS else "candidate": None}


def files_of(sources: Sequence[Any], options: Mapping[str, Any]) -> Files:
    """The files and how they are to be read."""
    suite = Suite.objects.filter(pk=options["suite"]).first() if options.get("suite") else None
    reading = Reading(
        sample=options.get("sample") or 1,
        join=options.get("join") or "auto",
        suite_name=options.get("name") or "",
        scorer=ScorerSpec(options["scorer"]) if options.get("scorer") else None,
    )
    return Files(sources, suite, reading)


class ScorerForm(forms.Form):
    """A scorer with its parameters."""

    scorer = forms.ChoiceField(label="Scorer", choices=SCORERS)
    parameters = forms.CharField(
        label="Parameters",
        help_text='JSON, such as {"pass_at": 0.5}. Left empty, it works as it does usually.',
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        max_length=100_000,
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if "scorer" in given and "parameters" in given:
            try:
                given["spec"] = spec_of(given["scorer"], given["parameters"])
            except ParameterError as error:
                self.add_error("parameters", str(error))
        return given
