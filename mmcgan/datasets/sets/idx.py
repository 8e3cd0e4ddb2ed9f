"""The IDX format of MNIST and its relatives."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

UINT8 = 0x08


def read_idx(path: Path) -> Tensor:
    """Read a file of unsigned bytes in IDX format, gzip-compressed or not.

    The header is two zero bytes, the type (0x08: uint8), the number of dimensions and each
    dimension as a big-endian 32-bit integer; the values follow, last dimension fastest.

    Raises:
        ValueError: the file is not IDX, is of another type, is truncated or has bytes left over.
    """
    raw = _decompressed(path)
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != UINT8 or raw[3] == 0:
        raise ValueError(
            f"{path}: not an IDX file of unsigned bytes: starts with 0x{raw[:4].hex()}, expected 0x000008NN"
        )
    header = 4 + 4 * raw[3]
    if len(raw) < header:
        raise ValueError(f"{path}: truncated IDX file: its header should have {header} bytes, has {len(raw)}")
    shape = np.frombuffer(raw, dtype=">u4", count=raw[3], offset=4).astype(int).tolist()
    expected = header + math.prod(shape)
    if len(raw) != expected:
        kind = "truncated IDX file" if len(raw) < expected else "IDX file with bytes left over"
        raise ValueError(f"{path}: {kind}: shape {shape} needs {expected} bytes, the file has {len(raw)}")
    return torch.from_numpy(np.frombuffer(raw, dtype=np.uint8, offset=header).reshape(shape).copy())


def _decompressed(path: Path) -> bytes:
    raw = path.read_bytes()
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path}: truncated or damaged gzip file: {error}") from error
