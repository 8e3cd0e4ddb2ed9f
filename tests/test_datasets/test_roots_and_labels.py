"""Images of several folders as one set, and classes that a file beside the images says."""

import json

import pytest

from mmcgan.closed_world import RefusedConfigError, checked
from mmcgan.datasets import ImageFolder
from mmcgan.datasets.sets.labels_file import CSV, JSON, STYLEGAN
from mmcgan.origin import Origin
from tests.test_datasets.life import CLASSES, SIZE, levels, pictures


@pytest.fixture
def flat(tmp_path):
    root = tmp_path / "flat"
    (root / "inner").mkdir(parents=True)
    for number, (name, _, image) in enumerate(pictures(6)):
        image.save(root / ("inner/" if number > 3 else "") / name)
    return root


NAMES = ["000.png", "001.png", "002.png", "003.png", "inner/004.png", "inner/005.png"]
KINDS = [CLASSES[number % 2] for number in range(6)]


def as_csv(pairs, header="file,class"):
    return "\n".join([header, *(f"{name},{kind}" for name, kind in pairs)]) + "\n"


PAIRS = list(zip(NAMES, KINDS, strict=True))
SPREADSHEET = [f'"a, b", {kind} ,.\\{name}\r\n'.replace("/", "\\") for name, kind in PAIRS]
WRITTEN = {
    "csv": (CSV, as_csv(PAIRS)),
    "csv of a spreadsheet": (CSV, "\ufeffnote,class,file\r\n" + "".join(SPREADSHEET)),
    "object": (JSON, json.dumps(dict(PAIRS))),
    "list": (JSON, json.dumps([{"file": name, "class": kind} for name, kind in PAIRS])),
    "numbers": (STYLEGAN, json.dumps({"labels": [[name, int(kind == "dog")] for name, kind in PAIRS]})),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_file_says_the_classes(flat, kind):
    name, text = WRITTEN[kind]
    (flat / name).write_text(text, encoding="utf-8", newline="")
    data = ImageFolder(str(flat), SIZE)
    assert data.classes == (CLASSES if kind != "numbers" else ("0", "1"))
    assert data.metainfo["class_counts"] == (3, 3) == ImageFolder.facts(str(flat), SIZE)["class_counts"]
    assert levels(data) == [10, 40, 70, 25, 55, 85] and data.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert ImageFolder(str(flat), SIZE, labelled=False).labels is None


def test_numbers_are_sorted_as_numbers(flat):
    pairs = zip(NAMES, ["10", "2", "10", "2", "7", "7"], strict=True)
    (flat / CSV).write_text(as_csv(pairs))
    assert ImageFolder(str(flat), SIZE).classes == ("2", "7", "10")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (CSV, as_csv([("000.png", "cat")]), "5 images are without a label in it: 001.png"),
        (CSV, as_csv([*zip(NAMES, KINDS, strict=True), ("z.png", "cat")]), "not there: z.png"),
        (CSV, as_csv([], header="name,kind"), "must name the columns file and class, and has name, kind"),
        (CSV, "", "must name the columns file and class, and has nothing"),
        (CSV, as_csv([]), "has no labels"),
        (CSV, 'file,class\n"000.png', "line 1: no CSV"),
        (CSV, "file,class\n000.png\n", "row 2 names no file, or no class"),
        (CSV, as_csv([("000.png", "cat"), ("000.png", "dog")]), "has the labels cat and dog"),
        (CSV, as_csv(zip(NAMES, ["cat"] * 6, strict=True)), "every image has the label cat"),
        (CSV, "file,class\n000.png,\xff\0\n", "labels.csv"),
        (JSON, '{"000.png": "cat", "000.png": "dog"}', "'000.png' stands in it twice, with cat and dog"),
        (JSON, '{"000.png": "cat", "./000.png": "dog"}', "has the labels cat and dog"),
        (
            JSON,
            json.dumps([dict(file="000.png", **{"class": kind}) for kind in CLASSES]),
            "has the labels cat and dog",
        ),
        (JSON, "[1]", r"expected \{.file"),
        (JSON, '{"000.png": 0.5}', "a class is a text or a whole number"),
        (JSON, '{"000.png": true}', "a class is a text or a whole number"),
        (JSON, '{"000.png": "  "}', "a class is a text or a whole number"),
        (JSON, "[" * 100_000, "no JSON"),
        (JSON, '"text"', "has no labels"),
        (JSON, json.dumps({n: i if i else "cat" for i, n in enumerate(NAMES)}), "some classes are numbers"),
    ],
)
def test_what_does_not_fit_is_named(flat, name, text, message):
    (flat / name).write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=message):
        ImageFolder(str(flat), SIZE)


def test_two_files_of_labels(flat):
    for kind in ("csv", "object"):
        name, text = WRITTEN[kind]
        (flat / name).write_text(text)
    with pytest.raises(ValueError, match=r"has labels\.csv and labels\.json; leave the one"):
        ImageFolder(str(flat), SIZE)


@pytest.fixture
def roots(tmp_path):
    """Cats and dogs in one folder, and dogs and newts in another."""
    made = [("a", "cat"), ("a", "dog"), ("b", "dog"), ("b", "newt")]
    for number, (_, _, image) in enumerate(pictures(8)):
        root, kind = made[number % 4]
        (tmp_path / root / kind).mkdir(parents=True, exist_ok=True)
        image.save(tmp_path / root / kind / f"{number}.png")
    return [str(tmp_path / "a"), str(tmp_path / "b")]


def test_classes_of_one_name_are_one(roots):
    data = ImageFolder(roots, SIZE)
    assert data.classes == ("cat", "dog", "newt") and data.labels.tolist() == [0, 0, 1, 1, 1, 1, 2, 2]
    assert levels(data) == [10, 70, 25, 85, 40, 100, 55, 115]
    assert ImageFolder.facts(roots, SIZE)["class_counts"] == (2, 4, 2)
    assert len(ImageFolder(roots, SIZE, labelled=False)) == 8
    assert data.fingerprint() != ImageFolder(roots[::-1], SIZE).fingerprint()


def test_roots_that_are_one_or_none(roots, tmp_path):
    for wrong in ([roots[0], roots[0]], [str(tmp_path), roots[0]], [roots[0], f"{roots[0]}/cat"]):
        with pytest.raises(ValueError, match=r"is in .*: give one of them"):
            ImageFolder(wrong, SIZE)
    with pytest.raises(ValueError, match="empty list"):
        ImageFolder([], SIZE)
    with pytest.raises(FileNotFoundError, match=r"no such folder: .*nothing"):
        ImageFolder([roots[0], str(tmp_path / "nothing")], SIZE)


def test_others_configs_name_no_folders_outside_in_a_list_either(tmp_path):
    (tmp_path / "in").mkdir()
    config = dict(type="ImageFolder", root=["in"], image_size=8)
    origin = Origin("a file", tmp_path)
    assert checked(config, origin, "data")["root"] == [str(tmp_path / "in")]
    for wrong in ("../out", "/etc", "~/x"):
        with pytest.raises(RefusedConfigError, match="outside the model's folder"):
            checked({**config, "root": ["in", wrong]}, origin, "data")
