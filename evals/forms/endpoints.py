"""What an admin writes about a model service."""

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

from django import forms
from django.core.exceptions import ValidationError

from evals import stand_in
from evals.endpoints import KeyChoice, check_written_url, environment
from evals.models import Endpoint
from evals.openai_client import RESERVED, AddressError

if TYPE_CHECKING:
    EndpointModelForm = forms.ModelForm[Endpoint]
else:
    EndpointModelForm = forms.ModelForm

COMPLETIONS = "/chat/completions"
MAX_PARAMETERS = 20_000
KEY_FIELDS = ("key_source", "key_variable", "key")
PRICES = ("input_price", "output_price")


class EndpointForm(EndpointModelForm):
    """An endpoint and its key. The key is written here and never shown again."""

    parameters = forms.CharField(
        label="Parameters",
        required=False,
        max_length=MAX_PARAMETERS,
        widget=forms.Textarea(attrs={"rows": 5, "class": "mono", "spellcheck": "false"}),
        help_text='A JSON object that is sent with each request, such as {"temperature": 0, '
        '"max_tokens": 800, "seed": 7, "logprobs": true}.',
    )
    # Not of the model form: a key is read as one choice, and written with its encryption.
    key_source = forms.ChoiceField(
        label="Where the key is",
        choices=Endpoint.KeySource.choices,
        widget=forms.RadioSelect,
        initial=Endpoint.KeySource.NONE,
    )
    key_variable = forms.CharField(
        label="Name of the variable",
        required=False,
        max_length=100,
        help_text=f"Of the process that makes the calls. It begins with {environment.KEY_PREFIX}, "
        f"or the operator lists it in {environment.LISTED_VARIABLES}.",
    )
    key = forms.CharField(
        label="Key",
        required=False,
        max_length=2000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    class Meta:
        model = Endpoint
        fields = (
            "name",
            "base_url",
            "model",
            "parameters",
            "streaming",
            "concurrency",
            "requests_per_minute",
            "timeout_seconds",
            "max_tries",
            "input_price",
            "output_price",
        )
        labels = {
            "base_url": "Address",
            "streaming": "Ask for streamed answers",
            "concurrency": "Requests at a time",
            "requests_per_minute": "Requests a minute, at most",
            "timeout_seconds": "Seconds until a request is given up",
            "max_tries": "Tries for each case",
            "input_price": "Price of a million prompt tokens",
            "output_price": "Price of a million generated tokens",
        }
        help_texts = {
            "name": "What pages call it, such as “Fern 2, tuned in October”.",
            "base_url": "Up to the part that every service names alike: "
            f"{COMPLETIONS} is added to it.",
            "model": "As the service calls it.",
            "streaming": "Then the time to the first token is measured too.",
            "input_price": "In the currency of your limits of cost.",
            "output_price": "In the same currency.",
        }
        error_messages = {"name": {"unique": "Another endpoint has this name. Choose one."}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["parameters"] = json.dumps(self.instance.parameters or {}, ensure_ascii=False)
        self.initial["key_source"] = self.instance.key_source
        self.initial["key_variable"] = self.instance.key_variable
        for name in PRICES:
            price = self.initial.get(name)
            # Without the zeros that the column adds.
            self.initial[name] = None if price is None else f"{price.normalize():f}"
        self._limit_numbers()
        if self.instance.kind == Endpoint.Kind.STAND_IN:
            for name in ("base_url", *KEY_FIELDS):
                del self.fields[name]
            self.fields["model"] = forms.ChoiceField(
                choices=[(model, model) for model in stand_in.MODELS], label="Model"
            )
            return
        self.fields["base_url"].required = True
        self.fields["base_url"].widget.attrs.update(
            {"placeholder": "https://models.example.org/v1", "spellcheck": "false"}
        )
        self.fields["key"].help_text = self._key_help()

    def _limit_numbers(self) -> None:
        """The limits of the table, where people meet them."""
        limits = {
            "concurrency": (1, 64),
            "requests_per_minute": (1, 1_000_000),
            "timeout_seconds": (1, 3600),
            "max_tries": (1, 10),
        }
        for name, (low, high) in limits.items():
            required = name != "requests_per_minute"
            self.fields[name] = forms.IntegerField(
                min_value=low,
                max_value=high,
                required=required,
                initial=self.fields[name].initial,
                label=self.fields[name].label,
                help_text=f"{low} to {high:,}." if required else "Over all workers together.",
            )

    def _key_help(self) -> str:
        kept = self.instance
        if kept.key_source != Endpoint.KeySource.STORED:
            return "Kept encrypted, sent to this address alone, and never shown again."
        shown = f" It ends in {kept.key_last4}." if kept.key_last4 else ""
        return (
            f"A key is stored for {kept.key_origin}.{shown} Leave this empty to keep it. "
            "Another host, port or scheme in the address needs the key again."
        )

    def clean_base_url(self) -> str:
        written = str(self.cleaned_data["base_url"]).strip().rstrip("/")
        if written.endswith(COMPLETIONS):
            raise ValidationError(f"Leave off {COMPLETIONS}: it is added with each request.")
        try:
            check_written_url(written)
        except AddressError as error:
            raise ValidationError(str(error)) from None
        return written

    def clean_parameters(self) -> dict[str, Any]:
        written = str(self.cleaned_data["parameters"]).strip()
        if not written:
            return {}
        given = _json_object(written)
        reserved = sorted(RESERVED & given.keys())
        if reserved:
            raise ValidationError(
                f"{', '.join(reserved)}: leave off what is set for each request by itself."
            )
        return given

    def clean_key_variable(self) -> str:
        return str(self.cleaned_data["key_variable"]).strip()

    def clean_key(self) -> str:
        key = str(self.cleaned_data["key"]).strip()
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            raise ValidationError("A key has letters, digits and signs only, and no spaces.")
        return key

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "key_source" in self.fields:
            self._clean_key_choice(cleaned)
        prices = [cleaned.get(name) for name in PRICES]
        if any(price is not None and price < Decimal(0) for price in prices):
            self.add_error("input_price", "A price is 0 or more.")
        if (prices[0] is None) != (prices[1] is None) and not set(PRICES) & self.errors.keys():
            self.add_error("output_price", "Write both prices, or neither.")
        return cleaned

    def _clean_key_choice(self, cleaned: dict[str, Any]) -> None:
        source = cleaned.get("key_source")
        wants_variable = source == Endpoint.KeySource.ENVIRONMENT
        variable = cleaned.get("key_variable") or ""
        if wants_variable and not environment.may_hold_a_key(variable):
            self.add_error(
                "key_variable",
                f"Write a name that begins with {environment.KEY_PREFIX}, or one that the "
                f"operator lists in {environment.LISTED_VARIABLES}.",
            )
        if source != Endpoint.KeySource.STORED and cleaned.get("key"):
            self.add_error("key", "A key is written here, but not chosen above. Choose it.")

    @property
    def key_choice(self) -> KeyChoice:
        said = self.cleaned_data
        source = said.get("key_source", "none")
        variable = said.get("key_variable", "") if source == "environment" else ""
        return KeyChoice(source, variable, said.get("key", ""))


def _json_object(written: str) -> dict[str, Any]:
    try:
        given = json.loads(written, parse_constant=_no_constant, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise ValidationError(
            f"Line {error.lineno}, column {error.colno}: {error.msg}. Write a JSON object."
        ) from None
    except (ValueError, RecursionError):
        raise ValidationError("A number is too long, or it is nested too deeply.") from None
    if not isinstance(given, dict):
        raise ValidationError('This is no JSON object. Write one, such as {"temperature": 0}.')
    if "\\u0000" in json.dumps(given):
        raise ValidationError("A text in it holds the character NUL, which cannot be kept.")
    return given


def _no_constant(name: str) -> NoReturn:
    raise ValidationError(f"{name} is no JSON. Write a number.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    given = dict(pairs)
    if len(given) < len(pairs):
        raise ValidationError("A name stands twice in one object. Keep one of them.")
    return given
