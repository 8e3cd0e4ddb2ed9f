"""Files of tensors: the same bytes for the same content, whichever process wrote them."""

import subprocess
import sys

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load

from mmcgan.checkpoints.tensor_bytes import tensor_bytes

TEXTS = {name: f"{name} is \u00e9\u6570" for name in "hgfedcba"}
SCRIPT = """
import sys, torch
from mmcgan.checkpoints.tensor_bytes import tensor_bytes
texts = {name: f"{name} is \u00e9\u6570" for name in "%s"}
sys.stdout.buffer.write(tensor_bytes({"a": torch.arange(3), "b": torch.ones(2, 2)}, texts))
"""


def test_the_content_is_read_back(tmp_path):
    tensors = {"half": torch.randn(3, 5).half(), "none": torch.zeros(0, 4), "whole": torch.arange(7)}
    path = tmp_path / "tensors.safetensors"
    path.write_bytes(tensor_bytes(tensors, TEXTS))
    with safe_open(path, "pt") as file:
        assert file.metadata() == TEXTS
    read = load(path.read_bytes())
    assert read.keys() == tensors.keys()
    assert all(torch.equal(read[name], tensors[name]) for name in tensors)


def test_no_texts_are_no_texts():
    assert load(tensor_bytes({"a": torch.ones(1)}, {}))["a"] == 1


@pytest.mark.parametrize("order", ["abcdefgh", "hgfedcba"])
def test_every_process_writes_the_same_bytes(order):
    written = subprocess.run([sys.executable, "-c", SCRIPT % order], capture_output=True, check=True).stdout
    assert written == tensor_bytes({"a": torch.arange(3), "b": torch.ones(2, 2)}, TEXTS)
