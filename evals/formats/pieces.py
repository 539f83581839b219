"""Pieces of bytes as a stream that is read once, from the beginning."""

import io
from collections.abc import Iterator
from typing import BinaryIO, cast


class _Pieces(io.RawIOBase):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """The next piece, or as much of it as is asked for; b"" at the end."""
        if not self._rest:
            self._rest = next(self._pieces, b"")
        end = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:end], self._rest[end:]
        return data


def piece_stream(pieces: Iterator[bytes]) -> BinaryIO:
    """A stream of `pieces`."""
    return cast(BinaryIO, _Pieces(pieces))
