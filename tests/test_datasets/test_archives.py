"""Zip archives are read in place, as the folder that they would unpack to, and cannot lead anywhere else."""

import json
import shutil
import stat
import warnings
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from mmcgan import archives
from mmcgan.cli import main
from mmcgan.datasets import BadImageError, ImageFolder, gan_collate
from mmcgan.datasets.sets.scan import scan_folder
from tests.test_datasets.life import CLASSES, SIZE, levels, lives, pictures


@pytest.fixture
def folder(tmp_path):
    for name, kind, image in pictures():
        (tmp_path / "set" / kind / "deeper").mkdir(parents=True, exist_ok=True)
        image.save(tmp_path / "set" / kind / ("deeper/" if name < "004" else "") / name)
    return tmp_path / "set"


@pytest.fixture
def archive(folder):
    return shutil.make_archive(str(folder), "zip", folder)


def test_an_archive_is_the_folder_it_would_be(folder, archive):
    there, packed = ImageFolder(str(folder), SIZE), ImageFolder(archive, SIZE)
    assert packed.metainfo == there.metainfo and levels(packed) == levels(there)
    assert packed.labels.tolist() == there.labels.tolist()
    assert packed.fingerprint() == there.fingerprint() and packed.source_digest() == there.source_digest()
    assert packed.part_digest([3, 1]) == there.part_digest([3, 1])
    assert ImageFolder.facts(archive, SIZE) == ImageFolder.facts(str(folder), SIZE)


def test_a_folder_in_an_archive(folder):
    archive = shutil.make_archive(str(folder) + "2", "zip", folder.parent, "set")
    with pytest.raises(ValueError, match=r"only one class folder, 'set'.*in .*set2\.zip/set: give that"):
        ImageFolder(archive, SIZE)
    assert ImageFolder(f"{archive}/set", SIZE).classes == CLASSES
    assert len(ImageFolder(f"{archive}/set/cat", SIZE, labelled=False)) == 6
    with pytest.raises(FileNotFoundError, match="no such folder"):
        ImageFolder(f"{archive}/nothing", SIZE)


@pytest.mark.parametrize("letter", ["İ", "ẞ", "ŉ", "ﬁ", "\u0130\u0130", "é", "İ.zip", "a.ZİP"])
@pytest.mark.parametrize("ending", [".zip", ".ZIP", ".Zip"])
def test_a_name_of_any_letters_is_read_that_is_listed(letter, ending, tmp_path):
    """Some letters become several where they are made small, and what follows them moves."""
    path = tmp_path / letter / f"{letter}{ending}"
    path.parent.mkdir()
    member = f"{letter}/{letter}/1.png"
    with zipfile.ZipFile(path, "w") as file, file.open(member, "w") as stream:
        Image.new("RGB", (8, 8), (1, 2, 3)).save(stream, "PNG")
    assert archives.split_path(path / member) == (str(path), member)
    images = ImageFolder(str(path), 8, labelled=False)
    assert images[0]["image"][:, 0, 0].tolist() == [1, 2, 3]


def test_stylegans_archives(tmp_path):
    """Numbered folders and ``dataset.json``, stored without compression."""
    path = tmp_path / "ffhq.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        for number, (name, _, image) in enumerate(pictures(6)):
            with file.open(f"0000{number // 3}/img{name}", "w") as stream:
                image.save(stream, "PNG")
        labels = [[f"0000{number // 3}/img{number:03d}.png", number % 3] for number in range(6)]
        file.writestr("dataset.json", json.dumps({"labels": labels}))
    data = ImageFolder(str(path), SIZE)
    assert data.classes == ("0", "1", "2") and data.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert levels(data) == [10, 55, 25, 70, 40, 85]


def test_workers_of_a_loader_and_changes_of_the_file(folder, archive):
    data = ImageFolder(archive, SIZE)
    data[0]  # opened here, before the workers are forked
    loader = DataLoader(data, 3, num_workers=2, collate_fn=gan_collate)
    found = [batch["image"][:, 0, -1, -1] for batch in loader]
    assert torch.cat(found).tolist() == levels(data)
    (folder / "cat" / "000.png").write_bytes((folder / "dog" / "005.png").read_bytes())
    shutil.make_archive(str(folder), "zip", folder)
    assert ImageFolder(archive, SIZE).fingerprint() != data.fingerprint()


def write(path, members, **changes):
    with zipfile.ZipFile(path, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that is there twice
        for name, content in members:
            entry = zipfile.ZipInfo(name)
            for key, value in changes.get(name, {}).items():
                setattr(entry, key, value)
            file.writestr(entry, content)
    return str(path)


def png(tmp_path, level=9):
    Image.fromarray(np.full((SIZE, SIZE, 3), level, np.uint8)).save(tmp_path / "one.png")
    return (tmp_path / "one.png").read_bytes()


def test_names_that_lead_out_and_other_kinds_of_entries_are_left_out(tmp_path):
    good = png(tmp_path)
    bad = [
        "../out.png",
        "/abs.png",
        "a/../../b.png",
        "c:/x.png",
        "a\\..\\b.png",
        "link.png",
        "bz.png",
        "a//b.png",
    ]
    path = write(
        tmp_path / "set.zip",
        [(name, good) for name in ["good.png", "good.png", *bad, "__MACOSX/good.png"]],
        **{"link.png": dict(external_attr=(stat.S_IFLNK | 0o777) << 16)},
        **{"bz.png": dict(compress_type=zipfile.ZIP_BZIP2)},
    )
    index = scan_folder(path, labelled=False)
    assert [name.removeprefix(path) for name in index.paths] == ["/good.png"]
    assert len(index.left_out.reasons) == 1 + len(bad)
    assert not (tmp_path / "out.png").exists()


def test_a_member_beyond_the_bound_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCGAN_MAX_PIXELS", "1000")
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.png", b"\0" * 10_000_000)
        file.writestr("b.png", png(tmp_path))
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda *_: pytest.fail("was unpacked"))
    with pytest.raises(BadImageError, match=r"bomb\.zip/a\.png: unreadable image: it has 10,000,000 bytes"):
        ImageFolder(str(path), SIZE, labelled=False)[0]


def test_too_many_members(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    path = write(tmp_path / "many.zip", [(f"{number}.png", b"") for number in range(3)])
    with pytest.raises(ValueError, match="3 files, more than 2"):
        ImageFolder(path, SIZE, labelled=False)


def test_damage_is_named_wherever_it_is(tmp_path, archive):
    """Every eighth byte is changed in turn; an error names the archive, or nothing is amiss."""
    content = bytearray((tmp_path / "set.zip").read_bytes())
    for place in range(0, len(content), max(8, len(content) // 120)):
        path = tmp_path / f"torn{place}.zip"
        torn = bytearray(content)
        torn[place] ^= 0x5A
        path.write_bytes(torn)
        try:
            data = ImageFolder(str(path), SIZE, labelled=False)
            for row in range(len(data)):
                data[row]
            data.fingerprint()
        except (ValueError, OSError) as error:
            assert path.name in str(error)
    (tmp_path / "text.zip").write_text("nothing")
    with pytest.raises(ValueError, match="not a zip archive"):
        ImageFolder(str(tmp_path / "text.zip"), SIZE)


def test_folders_called_like_archives_stay_folders(folder, tmp_path):
    shutil.move(folder, tmp_path / "photos.zip")
    assert len(ImageFolder(str(tmp_path / "photos.zip"), SIZE)) == 12
    assert archives.split_path(tmp_path / "photos.zip" / "cat") is None


def test_commands_take_archives(archive, tmp_path, capsys):
    assert main(["preview", archive, "--out", str(tmp_path / "seen.png"), "--image-size", "16"]) == 0
    said = capsys.readouterr().out
    assert "2 classes: cat 6, dog 6" in said and "12 are smaller and enlarged to 16 pixels" in said
    assert main(["pack-dataset", archive, str(tmp_path / "packed"), "--image-size", "8"]) == 0


@pytest.mark.slow
def test_its_life(archive, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "more")
    lives(tmp_path, dict(type="ImageFolder", root=[archive, str(tmp_path / "more")], image_size=SIZE))
