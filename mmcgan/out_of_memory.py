"""A machine that has no memory left, said in a sentence: of torch's, NumPy's or Pillow's errors."""

from __future__ import annotations

import re

#: how torch's errors begin, or what stands in them, where memory could not be had
TORCH = ("CUDA out of memory", "DefaultCPUAllocator", "MPS backend out of memory")
ASKED = (
    re.compile(r"tried to allocate (?P<number>\d+) bytes"),
    re.compile(r"[Tt]ried to allocate (?P<number>[\d.]+) (?P<unit>[KMGT]iB)"),
    re.compile(r"Unable to allocate (?P<number>[\d.]+) (?P<unit>[KMGTPE]iB)"),
)
POWERS = {"KiB": 1, "MiB": 2, "GiB": 3, "TiB": 4, "PiB": 5, "EiB": 6}
ADVICE = "fewer or smaller images at a time need less; MMCGAN_DEBUG=1 shows where"


def memory_sentence(error: BaseException) -> str | None:
    """Return what to say of an error for want of memory, with how much was asked for; None of any other."""
    text = " ".join(str(error).split())
    if not isinstance(error, MemoryError) and not any(mark in text for mark in TORCH):
        return None
    asked = _asked_for(text)
    if isinstance(error, MemoryError) and text and asked is None:
        return text  # a sentence already, as of a file that asks for more than it can need
    where = "the GPU's memory" if "CUDA" in text or "MPS" in text else "this machine's memory"
    return f"{where} does not suffice{'' if asked is None else f' for {asked} more'}: {ADVICE}"


def _asked_for(text: str) -> str | None:
    for pattern in ASKED:
        found = pattern.search(text)
        if found is not None:
            known = found.groupdict()
            size = float(known["number"]) * 1024 ** POWERS.get(known.get("unit", ""), 0)
            return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:,.1f} MB"
    return None
