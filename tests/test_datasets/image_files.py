"""Makes image files for the tests."""

from pathlib import Path

import numpy as np
from PIL import Image


def picture(width=8, height=8, seed=0):
    """Random RGB pixels (height, width, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path, array=None, **options):
    """Write ``array`` (a picture by default) to ``path``, making its folder."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture() if array is None else array).save(path, **options)
    return path


def class_folders(root, counts, suffix=".png"):
    """Write ``counts[name]`` different pictures for each class ``name``."""
    for label, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True)
        for i in range(count):
            save(root / name / f"{i}{suffix}", picture(seed=1000 * label + i))
    return root


def truncate(path):
    """Cut off the second half of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path
