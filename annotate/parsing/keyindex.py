"""Which keys were seen before, and where, in 16 bytes a key.

A dict of a million texts would need hundreds of megabytes; this holds 64 bits of hash and a
number, in an open-addressing table. Python keys the hash of texts anew in every process, so no
file can be built to collide; a million keys collide by chance once in 30 million uploads.
"""

from array import array

_EMPTY = 0
_ALL_BITS = (1 << 64) - 1


class KeyIndex:
    """Remembers the first number given with each key."""

    def __init__(self) -> None:
        self._count = 0
        self._resize(1 << 10)

    def __len__(self) -> int:
        return self._count

    def first(self, number: int, *key: str) -> int:
        """Remember `number` for `key` unless it is known; the number remembered for it."""
        hashed = _hashed(key)
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
        hashed = _hashed(key)
        slot = self._slot(hashed)
        return self._numbers[slot] if self._hashes[slot] == hashed else None

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


def _hashed(key: tuple[str, ...]) -> int:
    return hash(key) & _ALL_BITS or 1
