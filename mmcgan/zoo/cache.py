"""Where downloaded and converted models are kept, and whether the network may be used."""

from __future__ import annotations

import os
from pathlib import Path

from mmcgan.cache import cache_folder
from mmcgan.checkpoints.hashing import text_hash

OFFLINE_VARIABLE = "MMCGAN_OFFLINE"
HUB_OFFLINE_VARIABLE = "HF_HUB_OFFLINE"
_NO = ("", "0", "false", "no", "off")


def converted_path(name: str) -> Path:
    """Return where the converted file of the zoo's model ``name`` is kept."""
    return cache_folder() / "models" / f"{name}.safetensors"


def download_path(url: str) -> Path:
    """Return where the file of an address is kept: one folder per address."""
    name = url.partition("?")[0].rstrip("/").rpartition("/")[2]
    return cache_folder() / "downloads" / text_hash(url)[:16] / name


def offline(hub: bool = False) -> bool:
    """Return whether ``MMCGAN_OFFLINE`` (or, of the hub, ``HF_HUB_OFFLINE``) forbids the network."""
    variables = (OFFLINE_VARIABLE, HUB_OFFLINE_VARIABLE) if hub else (OFFLINE_VARIABLE,)
    return any(os.environ.get(variable, "").strip().lower() not in _NO for variable in variables)
