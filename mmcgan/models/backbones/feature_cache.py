"""Maps of images that come again, kept in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

#: Keys of images seen once; beyond it they are forgotten and the count begins anew.
MOST_SEEN = 1_000_000


class FeatureCache:
    """Keeps the maps of images that were seen before, by the bytes of the image.

    An image is kept from its second time on, so that generated ones, which never come again, take no room. A
    batch is answered only if all its images are known: otherwise the whole of it is computed, as it would be
    without the cache.

    Args:
        megabytes: of memory for maps; what comes when it is full is computed every time.
    """

    def __init__(self, megabytes: float) -> None:
        self.room = int(megabytes * 2**20)
        self.hits = 0
        self._known: dict[bytes, list[Tensor]] = {}
        self._seen: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._known)

    def keys(self, image: Tensor) -> list[bytes]:
        """Return a key for every image of (N, C, H, W)."""
        rows = image.detach().contiguous().cpu().flatten(1).view(torch.uint8).numpy()
        return [hashlib.blake2b(row.tobytes(), digest_size=12).digest() for row in rows]

    def find(self, keys: Sequence[bytes]) -> list[Tensor] | None:
        """Return the maps of a batch, or None unless all of its images are known."""
        if not all(key in self._known for key in keys):
            return None
        self.hits += 1
        return [torch.stack(maps) for maps in zip(*(self._known[key] for key in keys), strict=True)]

    def keep(self, keys: Sequence[bytes], maps: Sequence[Tensor]) -> None:
        """Keep the maps (N, ...) of those images that come for the second time, while there is room."""
        if len(self._seen) > MOST_SEEN:
            self._seen.clear()
        for row, key in enumerate(keys):
            if key in self._seen and key not in self._known:
                self._store(key, [x[row].detach().clone() for x in maps])
            self._seen.add(key)

    def _store(self, key: bytes, maps: list[Tensor]) -> None:
        size = sum(x.numel() * x.element_size() for x in maps)
        if size <= self.room:
            self.room -= size
            self._known[key] = maps

    def clear(self) -> None:
        """Forget all maps and give their room back."""
        self.room += sum(x.numel() * x.element_size() for maps in self._known.values() for x in maps)
        self._known.clear()
        self._seen.clear()
