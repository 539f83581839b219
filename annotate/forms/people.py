"""Forms of people: inviting, joining, and what everybody may change of their own account."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from annotate.models import Role, State, Study, User
from config.context import THEMES

NEW_PASSWORD = forms.PasswordInput(attrs={"autocomplete": "new-password"})


class InviteForm(forms.Form):
    email = forms.EmailField(label="E-mail address", max_length=254)
    role = forms.ChoiceField(choices=Role.choices, initial=Role.ANNOTATOR)
    study: "forms.ModelChoiceField[Study]" = forms.ModelChoiceField(
        Study.objects.none(),
        required=False,
        empty_label="No study yet",
        help_text="They can judge in it as soon as they have joined.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        studies = self.fields["study"]
        assert isinstance(studies, forms.ModelChoiceField)
        studies.queryset = Study.objects.exclude(state=State.CLOSED).order_by("name")


class JoinForm(forms.Form):
    name = forms.CharField(
        label="Your name",
        max_length=100,
        help_text="Leads and admins see it beside your judgements.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label="Password", help_text="12 characters or more.", widget=NEW_PASSWORD, strip=False
    )
    again = forms.CharField(label="Password, once more", widget=NEW_PASSWORD, strip=False)

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        password = cleaned.get("password", "")
        if password and cleaned.get("again") not in (None, password):
            self.add_error("again", "This is not the same as above. Type both again.")
        elif password:
            self._check_strength(password, cleaned.get("name", ""))
        return cleaned

    def _check_strength(self, password: str, name: str) -> None:
        try:
            validate_password(password, User(email=self.email, name=name))
        except ValidationError as error:
            self.add_error("password", error)


class NameForm(forms.Form):
    name = forms.CharField(
        max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"}), label="Your name"
    )


class ThemeForm(forms.Form):
    theme = forms.ChoiceField(
        choices=[("system", "As the system"), *((theme, theme.capitalize()) for theme in THEMES)],
        widget=forms.RadioSelect,
    )


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)
