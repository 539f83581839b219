"""What may be asked for and written on the pages of the weighing, one module a room."""

from evals.forms.decision import DecisionForm, GateFields, PolicyForm, SecondForm, WaiverFields
from evals.forms.endpoints import EndpointForm
from evals.forms.looking import chosen, chosen_page, chosen_source, chosen_weights

__all__ = [
    "DecisionForm",
    "EndpointForm",
    "GateFields",
    "PolicyForm",
    "SecondForm",
    "WaiverFields",
    "chosen",
    "chosen_page",
    "chosen_source",
    "chosen_weights",
]
