"""Which keys were seen before, and where, in 16 bytes a key.

A dict of a million texts would need hundreds of megabytes; this holds 64 bits of a keyed hash
and a number, in an open-addressing table. The key of the hash is drawn anew each time, so no
file can be built to collide.
"""

import os
from array import array
from hashlib import blake2b

_EMPTY = 0


class KeyIndex:
    """Remembers the first number given with each key."""

    def __init__(self) -> None:
        self._secret = os.urandom(16)
        self._count = 0
        self._resize(1 << 10)

    def __len__(self) -> int:
        return self._count

    def first(self, number: int, *key: str) -> int:
        """Remember `number` for `key` unless it is known; the number remembered for it."""
        hashed = self._hash(key)
        slot = self._slot(hashed)
        if self._hashes[slot] == hashed:
            return self._numbers[slot]
        self._hashes[slot] = hashed
        self._numbers[slot] = number
        self._count += 1
        if self._count * 2 > self._mask:
            self._grow()
        return number

    def get(self, *key: str) -> int | None:
        hashed = self._hash(key)
        slot = self._slot(hashed)
        return self._numbers[slot] if self._hashes[slot] == hashed else None

    def _hash(self, key: tuple[str, ...]) -> int:
        digest = blake2b(digest_size=8, key=self._secret)
        for part in key:
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "little"))
            digest.update(data)
        return int.from_bytes(digest.digest(), "little") or 1

    def _slot(self, hashed: int) -> int:
        slot = hashed & self._mask
        hashes = self._hashes
        while hashes[slot] not in (_EMPTY, hashed):
            slot = (slot + 1) & self._mask
        return slot

    def _resize(self, size: int) -> None:
        self._mask = size - 1
        self._hashes = array("Q", bytes(8 * size))
        self._numbers = array("Q", bytes(8 * size))

    def _grow(self) -> None:
        hashes, numbers = self._hashes, self._numbers
        self._resize(2 * len(hashes))
        for hashed, number in zip(hashes, numbers, strict=True):
            if hashed != _EMPTY:
                slot = self._slot(hashed)
                self._hashes[slot] = hashed
                self._numbers[slot] = number
