"""Archives that torch has not written are refused before torch opens them, whoever reads."""

import ast
import io
import struct
import zipfile
from pathlib import Path

import pytest
import torch

from mmcgan.checkpoints.files import load_checkpoint, newest_valid, save_checkpoint
from mmcgan.checkpoints.restricted import read_untrusted
from mmcgan.engine.resume import read_resumable
from mmcgan.peers.reading.convert import inspect_checkpoint
from mmcgan.zoo.models import load_model
from tests.test_trust.guard import ROOT

READERS = [load_checkpoint, read_untrusted, read_resumable, load_model, inspect_checkpoint]
STATE = {"state_dict": {"generator.a": torch.zeros(1000)}, "meta": {"iter": 1, "cfg": "model = dict()"}}


def members_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {member.filename: archive.read(member) for member in archive.infolist()}


def archive_of(members, packing=zipfile.ZIP_STORED, packed=lambda name: True):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in members:
            archive.writestr(name, content, packing if packed(name) else zipfile.ZIP_STORED)
    return made.getvalue()


def plain(members):
    return archive_of(members.items())


def deflated(members):
    return archive_of(members.items(), zipfile.ZIP_DEFLATED)


def deflated_in_one(members):
    return archive_of(members.items(), zipfile.ZIP_DEFLATED, lambda name: "/data/" in name)


def with_bzip2(members):
    return archive_of(members.items(), zipfile.ZIP_BZIP2)


def with_two_of_a_name(members):
    with pytest.warns(UserWarning, match="Duplicate name"):
        return archive_of([*members.items(), list(members.items())[-1]])


def with_a_program(members):
    return archive_of([*members.items(), (f"{next(iter(members)).split('/')[0]}/code/a.py", b"")])


def with_overlapping_members(members):
    """The directory says that every member is a larger one's bytes."""
    content = plain(members)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        offset = next(m.header_offset for m in archive.infolist() if "/data/" in m.filename)
        start = archive.start_dir
    for name in members:
        place = content.index(name.encode(), start) - 46
        content = content[: place + 20] + struct.pack("<II", 4000, 4000) + content[place + 28 :]
        content = content[: place + 42] + struct.pack("<I", offset) + content[place + 46 :]
    return content


def of_a_later_kind(members):
    """It needs a version of the format that is not there yet."""
    content = plain(members)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        place = archive.start_dir
    return content[: place + 6] + b"\xff\x00" + content[place + 8 :]


HOSTILE = [
    *(deflated, deflated_in_one, with_bzip2, with_two_of_a_name, with_a_program, with_overlapping_members),
    of_a_later_kind,
]


@pytest.fixture
def members():
    file = io.BytesIO()
    torch.save(STATE, file)
    return members_of(file.getvalue())


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_an_archive_is_judged_before_torch_opens_it(kind, reader, members, tmp_path, monkeypatch):
    path = tmp_path / "iter_1.pth"
    path.write_bytes(kind(members))

    def opened(*_, **__):
        raise AssertionError("torch opens it")

    monkeypatch.setattr(torch, "load", opened)
    with pytest.raises(ValueError, match=r"iter_1\.pth.*archive"):
        reader(path)


@pytest.mark.parametrize("reader", READERS[:2])
def test_the_same_archive_is_read_where_its_members_are_stored(reader, members, tmp_path):
    """Else what is refused above could be refused for anything."""
    path = tmp_path / "iter_1.pth"
    path.write_bytes(plain(members))
    assert torch.equal(reader(path)["state_dict"]["generator.a"], STATE["state_dict"]["generator.a"])


def test_a_resumed_run_takes_the_file_before(members, tmp_path):
    save_checkpoint(STATE, tmp_path / "iter_1.pth")
    (tmp_path / "iter_2.pth").write_bytes(deflated(members))
    path, problems = newest_valid(tmp_path)
    assert path == tmp_path / "iter_1.pth"
    assert "is compressed" in problems[0]


def test_nobody_else_has_torch_read_a_file():
    """What a test of one's own components has just written in memory needs no judging."""
    found = set()
    for path in (ROOT / "mmcgan").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.load", "load"):
                found.add(Path(path).relative_to(ROOT / "mmcgan").as_posix())
    own = {"testing/requirements.py", "testing/optimization.py"}
    assert found - own == {"checkpoints/files.py", "checkpoints/restricted.py"}
