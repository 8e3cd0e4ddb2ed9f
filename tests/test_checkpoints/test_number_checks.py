"""Weights that are no numbers, or that float16 cannot hold, are named and not written."""

import pytest
import torch

from mmcgan.checkpoints.files import CheckpointError, require_finite, require_half
from mmcgan.extractors.classifier_file import halve
from mmcgan.output_paths import check_output


def test_tensors_that_are_no_numbers_are_named():
    bad = torch.tensor([1.0, float("nan")])
    weights = {"fine": torch.ones(3), "steps": torch.tensor(3), "bad.weight": bad}
    with pytest.raises(CheckpointError, match=r"run\.pth: 1 of its 3 tensors .*bad\.weight"):
        require_finite(weights, "run.pth")
    require_finite({"fine": weights["fine"]}, "run.pth")
    with pytest.raises(CheckpointError, match="large"):
        require_finite({"large": torch.tensor([float("inf")])}, "run.pth")


@pytest.mark.parametrize("value", [65_505.0, -1e5, 1e30])
def test_numbers_beyond_float16_are_named(value):
    weights = {"fine": torch.tensor([65_504.0, -65_504.0]), "large": torch.tensor([[value]])}
    with pytest.raises(CheckpointError, match=r"run\.pth: 1 tensors .*65,504.*large .*without --half"):
        require_half(weights, "run.pth")
    require_half({"fine": weights["fine"]}, "run.pth")
    with pytest.raises(CheckpointError, match="large"):
        halve(weights)
    assert halve({"vector": torch.tensor([1e6])})["vector"].dtype is torch.float32


def test_output_files_are_tried_first(tmp_path):
    check_output(tmp_path / "new" / "folder" / "x.json", "--json")
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("x")
    check_output(tmp_path / "file", "--json")
    assert (tmp_path / "file").read_text() == "x"
    places = {tmp_path: "a folder of that name", tmp_path / "file" / "x.json": "cannot be written"}
    for path, message in places.items():
        with pytest.raises(ValueError, match=rf"--json .*{message}"):
            check_output(path, "--json")
    with pytest.raises(ValueError, match=r"must be named \*\.png or \*\.pdf"):
        check_output(tmp_path / "x.jpg", "--out", (".png", ".pdf"))
