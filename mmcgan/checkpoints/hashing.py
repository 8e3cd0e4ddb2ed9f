"""The SHA-256 of files."""

from __future__ import annotations

import hashlib
import os

BLOCK = 1 << 22


def file_hash(path: str | bytes | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
