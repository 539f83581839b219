"""The body of an answer, unpacked here, and never more of it than an answer may have."""

import zlib
from collections.abc import Iterator

import httpx2

from evals.openai_client.contract import CallError

MAX_BYTES = 10 * 2**20
# Of an error no more is read than can be told of it.
MAX_ERROR_BYTES = 64 * 2**10
PIECE = 64 * 2**10
WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class LimitedBody(httpx2.SyncByteStream):
    """Counts bytes as sent and as unpacked: a few kilobytes can be packed gigabytes."""

    def __init__(self, pieces: Iterator[bytes], status: int, encoding: str) -> None:
        self._pieces = pieces
        self._is_error = status >= 400
        self._limit = MAX_ERROR_BYTES if self._is_error else MAX_BYTES
        self._encoding = encoding.strip().lower()

    def __iter__(self) -> Iterator[bytes]:
        sizes = {"sent": 0, "unpacked": 0}
        for piece in self._unpacked(sizes):
            sizes["unpacked"] += len(piece)
            if max(sizes.values()) > self._limit:
                if self._is_error:
                    return
                raise CallError(
                    "too_large", f"The answer is larger than {MAX_BYTES // 2**20} MB: it was left."
                )
            yield piece

    def _unpacked(self, sizes: dict[str, int]) -> Iterator[bytes]:
        if self._encoding in ("", "identity"):
            yield from self._pieces
            return
        if self._encoding not in WINDOWS:
            raise CallError("not_json", "The answer is packed in a way that was not asked for.")
        packed = zlib.decompressobj(WINDOWS[self._encoding])
        for piece in self._pieces:
            sizes["sent"] += len(piece)
            try:
                yield packed.decompress(piece, PIECE)
                while packed.unconsumed_tail:
                    yield packed.decompress(packed.unconsumed_tail, PIECE)
            except zlib.error:
                raise CallError("not_json", "The answer is packed, and damaged.") from None
        if not packed.eof:
            raise CallError("cut_off", "The connection ended inside the answer.")

    def close(self) -> None:
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()
