"""Stand-ins for model services: they let the whole product be tried without any service.

They speak chat completions over HTTP like the real thing, know the suites that come with the
product, and answer each question in the same way every time. Their numbers say nothing about any
model; `model` begins with "stand-in" wherever they answered.
"""

from evals.stand_in.answering import JUDGE, MODELS
from evals.stand_in.knowledge import BASELINE, CANDIDATE
from evals.stand_in.server import serving, shared_url

__all__ = ["BASELINE", "CANDIDATE", "JUDGE", "MODELS", "serving", "shared_url"]
