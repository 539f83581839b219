"""Endpoints: where models answer, with which key, and whether they do."""

from evals.endpoints.connecting import connection_of
from evals.endpoints.keeping import (
    BusyEndpointError,
    KeyChoice,
    KeyWantedError,
    archive,
    bring_back,
    origin_of,
    running_count,
    write_endpoint,
)
from evals.endpoints.sealing import SealError, rotate_keys
from evals.endpoints.stand_ins import ensure_stand_ins
from evals.endpoints.trying import TooManyTrialsError, Trial, try_endpoint
from evals.endpoints.writing import check_written_url

__all__ = [
    "BusyEndpointError",
    "KeyChoice",
    "KeyWantedError",
    "SealError",
    "TooManyTrialsError",
    "Trial",
    "archive",
    "bring_back",
    "check_written_url",
    "connection_of",
    "ensure_stand_ins",
    "origin_of",
    "rotate_keys",
    "running_count",
    "try_endpoint",
    "write_endpoint",
]
