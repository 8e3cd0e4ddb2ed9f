"""The set of emoji is made of two packages whose archives are data."""

import importlib.util
import io
import json
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from mmcgan.datasets import AttributeFolder, ImageFolder

ROOT = Path(__file__).resolve().parents[2]
specification = importlib.util.spec_from_file_location("fetch_emoji", ROOT / "tools" / "fetch_emoji.py")
tool = importlib.util.module_from_spec(specification)
specification.loader.exec_module(tool)

NAMES = {"1f400.png": "Animals & Nature", "1f401.png": "Animals & Nature", "1f402.png": "Food & Drink"}


def package(folder, vendor, table=None, members=None):
    """Write a package as npm has them."""
    stream = io.BytesIO()
    Image.new("RGBA", (64, 64), (200, 30, 30, 128)).save(stream, "PNG")
    entries = [dict(image=name, category=kind) | {f"has_img_{vendor}": True} for name, kind in NAMES.items()]
    entries.append(dict(image="1f3fb.png", category="Component") | {f"has_img_{vendor}": True})
    entries.append({"image": "1f999.png", "category": "Food & Drink", f"has_img_{vendor}": False})
    files = {f"package/img/{vendor}/64/{name}": stream.getvalue() for name in NAMES}
    files = {"package/emoji.json": json.dumps(entries if table is None else table).encode(), **files}
    path = folder / f"emoji-datasource-{vendor}-16.0.0.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {**files, **(members or {})}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def test_a_set_of_categories_and_vendors(tmp_path, capsys):
    packages = [str(package(tmp_path, vendor)) for vendor in tool.VENDORS]
    out = tmp_path / "emoji"
    assert tool.main([str(out), "--packages", *packages]) == 0
    both = ImageFolder([str(out / vendor) for vendor in tool.VENDORS], 64)
    assert both.classes == ("Animals-and-Nature", "Food-and-Drink") and both.metainfo["class_counts"] == (
        4,
        2,
    )
    table = AttributeFolder(str(out), str(out / tool.TABLE), 64, split="train")
    assert [group.name for group in table.groups.groups] == ["category", "vendor"]
    assert tool.main([str(out), "--packages", *packages]) == 2
    assert "exists; choose another folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([dict(image="../../x.png", category="Flags", has_img_google=True)], "unexpected name"),
        ([dict(image="1f400.png", category="../up", has_img_google=True)], "unexpected name"),
        (
            [dict(image="1f4ff.png", category="Flags", has_img_google=True)],
            "has no package/img/google/64/",
        ),
        ([], "has no emoji of google"),
        ({"a": 1}, "has no emoji of google"),
    ],
)
def test_tables_of_strangers_lead_nowhere(tmp_path, table, message, capsys):
    packages = [str(package(tmp_path, "google", table)), str(package(tmp_path, "twitter"))]
    assert tool.main([str(tmp_path / "out" / "emoji"), "--packages", *packages]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.glob("*.png")) and not list((tmp_path / "out").glob("*.png"))


def test_a_picture_that_is_too_large_is_not_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tool, "LARGEST_PICTURE", 10)
    packages = [str(package(tmp_path, vendor)) for vendor in tool.VENDORS]
    assert tool.main([str(tmp_path / "emoji"), "--packages", *packages]) == 2
    assert "is no file of at most 10 bytes" in capsys.readouterr().err


def test_packages_of_something_else(tmp_path, capsys):
    one = str(package(tmp_path, "google"))
    assert tool.main([str(tmp_path / "emoji"), "--packages", one, one]) == 2
    assert "a package of each of google, twitter" in capsys.readouterr().err
