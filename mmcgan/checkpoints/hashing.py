"""The SHA-256 of files, texts and what tensors hold."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

BLOCK = 1 << 22
FEWEST, WHOLE = 8, 64
_DIGITS = re.compile(r"[0-9A-Fa-f]+")


def is_hash(text: object, fewest: int = FEWEST) -> bool:
    """Return whether a text is a SHA-256 in hexadecimal, or at least its first ``fewest`` digits."""
    return isinstance(text, str) and fewest <= len(text) <= WHOLE and _DIGITS.fullmatch(text) is not None


def stated_hash(text: object, where: str) -> str:
    """Return the SHA-256 that somebody states, or its first digits, in small letters.

    Args:
        text: as it was written.
        where: for messages, such as ``zoo record digits: sha256``.

    Raises:
        ValueError: not 8 to 64 hexadecimal digits: fewer say next to nothing.
    """
    if not is_hash(text):
        raise ValueError(f"{where}={text!r} is not {FEWEST} to {WHOLE} hex digits")
    return str(text).lower()


def file_hash(path: str | bytes | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        return stream_hash(file)


def stream_hash(stream: IO[bytes]) -> str:
    """Return the SHA-256 of what a stream has left, in hexadecimal; it is read in blocks."""
    digest = hashlib.sha256()
    while block := stream.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def text_hash(text: str, *tensors: Tensor | None) -> str:
    """Return the SHA-256 of a text in UTF-8 and of the elements of tensors after it, in hexadecimal.

    Args:
        text: what else the tensors belong to: types and shapes are not looked at.
        tensors: on the CPU; None for one that is not there.
    """
    digest = hashlib.sha256(text.encode())
    for tensor in tensors:
        if tensor is not None:
            digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()


def contents_hash(contents: Iterable[bytes]) -> str:
    """Return the SHA-256 of the SHA-256 of contents, in their order, in hexadecimal."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()
