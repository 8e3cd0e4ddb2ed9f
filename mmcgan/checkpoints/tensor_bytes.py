"""Tensors and texts as the bytes of a safetensors file: the same bytes whenever the content is the same.

safetensors keeps the texts in a hash map whose order differs from process to process, so that one checkpoint
exported twice had two hashes. Here they stand in the order of their names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from safetensors.torch import save
from torch import Tensor

from mmcgan.text_files import parse_json

#: bytes in front that tell the header's length, and the multiple of bytes at which tensors may begin
LENGTH, ALIGNMENT = 8, 8


def tensor_bytes(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Return the file that holds the tensors and the texts.

    Args:
        tensors: contiguous ones of any shape and type.
        metadata: texts by name.
    """
    content = save(dict(tensors), dict(metadata))
    end = LENGTH + int.from_bytes(content[:LENGTH], "little")
    header = parse_json(content[LENGTH:end], "tensors just written", "a header of safetensors")
    if "__metadata__" in header:
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return b"".join((len(text).to_bytes(LENGTH, "little"), text, memoryview(content)[end:]))
