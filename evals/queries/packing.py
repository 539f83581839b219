"""Results as few octets, to be kept and taken out again by the same code."""

import io
import pickle
import zlib
from typing import Any

import numpy as np

from evals.stats.checks import Ints

# Zeros make up most of a large table; more effort takes longer than it saves.
EFFORT = 1


class _Packer(pickle.Pickler):
    """Counts are small: their arrays are packed as narrow as they can be, and come back wide."""

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is not np.ndarray or obj.dtype != np.int64 or not obj.size:
            return NotImplemented
        lowest, highest = int(obj.min()), int(obj.max())
        for narrow in (np.int8, np.int16, np.int32):
            if np.iinfo(narrow).min <= lowest and highest <= np.iinfo(narrow).max:
                return _wide, (obj.astype(narrow),)
        return NotImplemented


def _wide(narrow: Ints) -> Ints:
    return narrow.astype(np.int64)


def packed(result: object) -> bytes:
    buffer = io.BytesIO()
    _Packer(buffer, pickle.HIGHEST_PROTOCOL).dump(result)
    return zlib.compress(buffer.getbuffer(), EFFORT)


def unpacked(octets: bytes) -> Any:
    """What was packed, by this very code: whoever keeps it keeps the name of the code with it."""
    return pickle.loads(zlib.decompress(octets))  # noqa: S301
