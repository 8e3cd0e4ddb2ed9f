"""Lists and tables of others name the same files, whatever wrote them and whatever the locale."""

import os
import subprocess
import sys

import pytest

from mmcgan.datasets import ImageList
from mmcgan.datasets.attributes.attribute_folder import AttributeFolder
from mmcgan.text_files import printable, read_json, read_names, read_text
from tests.test_datasets.image_files import picture, save

NAMES = ["plain.png", "with space.png", "ümläut.png", "folder/日本.png"]
WRITERS = {
    "plain": lambda lines: "\n".join(lines).encode() + b"\n",
    "no line feed at the end": lambda lines: "\n".join(lines).encode(),
    "byte order mark": lambda lines: b"\xef\xbb\xbf" + "\n".join(lines).encode(),
    "CRLF": lambda lines: "\r\n".join(lines).encode() + b"\r\n",
    "old Macintosh": lambda lines: "\r".join(lines).encode(),
    "all of it": lambda lines: b"\xef\xbb\xbf" + "\r\n\r\n".join(lines).encode() + b"\r\n\r\n",
}


@pytest.fixture
def root(tmp_path):
    for number, name in enumerate(NAMES):
        save(tmp_path / "images" / name, picture(seed=number))
    return tmp_path / "images"


@pytest.mark.parametrize("writer", WRITERS)
def test_lists(root, tmp_path, writer):
    (tmp_path / "names.txt").write_bytes(WRITERS[writer](NAMES))
    images = ImageList(str(root), str(tmp_path / "names.txt"), 8)
    assert [images[i]["image"].equal(images.reader(root / name)) for i, name in enumerate(NAMES)] == [
        True
    ] * 4


@pytest.mark.parametrize("writer", WRITERS)
def test_tables(root, tmp_path, writer):
    lines = ["file,hat", *(f"{name},{number % 2}" for number, name in enumerate(NAMES))]
    (tmp_path / "table.csv").write_bytes(WRITERS[writer](lines))
    images = AttributeFolder(str(root), str(tmp_path / "table.csv"), 8)
    assert len(images) == 4 and images[3]["image"].equal(images.reader(root / NAMES[3]))


PROGRAM = """
import sys
from mmcgan.datasets import ImageList
from mmcgan.datasets.attributes.attribute_folder import AttributeFolder
kind = ImageList if sys.argv[2].endswith("txt") else AttributeFolder
images = kind(sys.argv[1], sys.argv[2], 8)
print(sum(int(images[i]["image"].sum()) for i in range(len(images))))
"""


@pytest.mark.broad  # ten seconds and more on an old processor
def test_a_locale_that_knows_no_umlauts(root, tmp_path):
    (tmp_path / "names.txt").write_bytes(WRITERS["all of it"](NAMES))
    lines = ["file,hat", *(f"{name},{number % 2}" for number, name in enumerate(NAMES))]
    (tmp_path / "table.csv").write_bytes(WRITERS["all of it"](lines))
    expected = sum(int(picture(seed=number).sum()) for number in range(4))
    plain = dict(os.environ, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    for source in ("names.txt", "table.csv"):
        command = [sys.executable, "-c", PROGRAM, str(root), str(tmp_path / source)]
        done = subprocess.run(command, env=plain, capture_output=True, text=True)
        assert done.stdout.strip() == str(expected), done.stderr


def test_names_that_are_no_utf8(root, tmp_path):
    raw = b"caf\xe9.png"
    with open(os.path.join(os.fsencode(root), raw), "wb") as stream:
        stream.write((root / "plain.png").read_bytes())
    (tmp_path / "names.txt").write_bytes(raw + b"\n")
    assert len(ImageList(str(root), str(tmp_path / "names.txt"), 8)) == 1
    (tmp_path / "names.txt").write_bytes(b"gon\xe9.png\n")
    with pytest.raises(FileNotFoundError, match=r"1 of its 1 images .*gon\\xe9\.png"):
        ImageList(str(root), str(tmp_path / "names.txt"), 8)


def test_a_listed_image_that_is_not_there_is_named_at_the_start(root, tmp_path):
    (tmp_path / "names.txt").write_text("plain.png\nmissing.png\nfolder\n")
    with pytest.raises(FileNotFoundError, match=r"names\.txt: 2 of its 3 images are not there.*missing\.png"):
        ImageList(str(root), str(tmp_path / "names.txt"), 8)


def test_blanks_belong_to_a_name_if_a_file_has_them(root, tmp_path):
    save(root / "plain.png", picture(seed=9))
    (root / "plain.png").rename(root / "plain.png ")
    save(root / "other.png", picture(seed=8))
    (tmp_path / "names.txt").write_bytes(b"plain.png \nother.png  \n")
    assert len(ImageList(str(root), str(tmp_path / "names.txt"), 8)) == 2


def test_utf16_is_refused(tmp_path):
    (tmp_path / "names.txt").write_text("plain.png\n", encoding="utf-16")
    with pytest.raises(ValueError, match=r"names\.txt: not a list of names in UTF-8 \(is it UTF-16\?\)"):
        read_names(tmp_path / "names.txt")
    with pytest.raises(ValueError, match=r"names\.txt: not UTF-8 text"):
        read_text(tmp_path / "names.txt")


def test_what_is_shown_can_be_written():
    assert printable("é.png") == "é.png" and printable(b"\xe9.png") == "\\xe9.png"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"a.png": 0, "a.png": 1}', "'a.png' stands in it twice, with 0 and 1"),
        ('{"a": 1, "b": {"c": "x", "d": 2, "c": "y"}}', "'c' stands in it twice, with x and y"),
        ('[{"file": "a", "class": 1}, {"file": "b", "class": 1, "class": 2}]', "'class' stands in it twice"),
        ('{"labels": [], "labels": [1]}', r"'labels' stands in it twice, with \[\] and \[1\]"),
        ('{"\\ud800": 1, "\\ud800": 2}', r"'\\ud800' stands in it twice"),
    ],
)
def test_json_that_says_two_things_under_one_name_is_refused(tmp_path, text, shown):
    file = tmp_path / "said.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"said\.json: not a plan: " + shown):
        read_json(file, "a plan", list if text[0] == "[" else dict)


def test_json_that_says_the_same_twice_is_read(tmp_path):
    (tmp_path / "said.json").write_text('{"a": 1, "b": 2, "a": 1}')
    assert read_json(tmp_path / "said.json", "a plan") == {"a": 1, "b": 2}
