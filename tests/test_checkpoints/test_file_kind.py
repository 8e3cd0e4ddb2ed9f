"""A file that holds no weights is called what it is, by every reader of weights."""

import gzip
import io
import json
import pickle
import zipfile

import pytest
import torch
from PIL import Image
from safetensors.torch import save

from mmcgan import cli
from mmcgan.checkpoints.file_kind import unlike_weights
from mmcgan.checkpoints.files import CheckpointError, load_checkpoint
from mmcgan.checkpoints.restricted import read_untrusted

TENSORS = {"a.weight": torch.zeros(3, 3), "b.weight": torch.zeros(3)}
WHOLE = pickle.dumps({"a": list(range(1000))})


def picture(kind):
    content = io.BytesIO()
    Image.new("RGB", (4, 4)).save(content, kind)
    return content.getvalue()


def zipped(*names):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "text")
    return content.getvalue()


def saved():
    content = io.BytesIO()
    torch.save(TENSORS, content)
    return content.getvalue()


WRONG = {
    "text": (b"hello world, this is x", "a text file"),
    "text that begins like a pickle": (b"(pop goes the weasel.", "a text file"),
    "letters": (b"x" * 100, "a text file"),
    "png": (picture("PNG"), "a PNG picture"),
    "jpeg": (picture("JPEG"), "a JPEG picture"),
    "webp": (picture("WEBP"), "a WebP picture"),
    "gif": (picture("GIF"), "a GIF picture"),
    "bmp": (picture("BMP"), "a BMP picture"),
    "zip": (zipped("readme.txt"), "no data.pkl, but readme.txt"),
    "empty zip": (zipped(), "no data.pkl, and nothing else"),
    "empty": (b"", "empty"),
    "json": (json.dumps({"a": 1}).encode(), "a JSON file"),
    "gzip": (gzip.compress(saved()), "compressed with gzip"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file"),
    "numpy": (b"\x93NUMPY\x01\x00" + bytes(50), "a NumPy array"),
    "page": (b"<!DOCTYPE html><html>404</html>", "a web page"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "a pointer of Git LFS"),
    "safetensors": (save(TENSORS), "call it .safetensors"),
}
DAMAGED = {
    "cut pickle": (WHOLE[: len(WHOLE) // 2], "cut off"),
    "a few bytes of one": (WHOLE[:3], "cut off"),
    "cut checkpoint": (saved()[:400], "damaged"),
    "other bytes": (bytes(range(120, 250)) * 3, "no pickle, or a damaged one"),
    "zeros": (bytes(3000), "no pickle, or a damaged one"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_checkpoint_is_called_what_it_is(kind, tmp_path):
    content, said = WRONG[kind]
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    assert said in unlike_weights(path)
    for read in (load_checkpoint, read_untrusted):
        with pytest.raises(CheckpointError, match=f"{path}: it is .*{said}"):
            read(path)


@pytest.mark.parametrize("kind", [*WRONG, *DAMAGED])
def test_the_command_says_it_with_the_name(kind, tmp_path, capsys):
    content, said = {**WRONG, **DAMAGED}[kind]
    path = tmp_path / "weights.pkl"
    path.write_bytes(content)
    assert cli.main(["convert", str(path), str(tmp_path / "ours.safetensors"), "--dry-run"]) == 2
    error = capsys.readouterr().err
    assert str(path) in error
    assert said in error


def test_folders_and_other_files_by_that_name(tmp_path, capsys):
    assert unlike_weights(tmp_path) == "a folder"
    path = tmp_path / "text.safetensors"
    path.write_text("hello")
    assert cli.main(["convert", str(path), "--dry-run"]) == 2
    assert "it is a text file" in capsys.readouterr().err


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_every_protocol_may_hold_weights(protocol, tmp_path):
    path = tmp_path / "settings.pkl"
    path.write_bytes(pickle.dumps({"a": [1, 2.5, "x", None, True], "b": ()}, protocol))
    assert unlike_weights(path) == ""
    assert read_untrusted(path) == {"a": [1, 2.5, "x", None, True], "b": ()}


def test_files_of_weights_are_none_of_these(tmp_path):
    torch.save(TENSORS, tmp_path / "a.pth")
    torch.save(TENSORS, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    (tmp_path / "a.safetensors").write_bytes(save(TENSORS))
    assert [unlike_weights(path) for path in sorted(tmp_path.iterdir())] == ["", "", ""]
