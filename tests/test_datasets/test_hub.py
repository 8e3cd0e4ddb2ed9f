"""Tables of the Hub's kind, written here: read, named by their features, trained on, and never trusted."""

import io
import json
import os

import numpy as np
import pytest
from PIL import Image

from mmcgan.cli import main
from mmcgan.closed_world import RefusedConfigError, build, checked
from mmcgan.config import load_config
from mmcgan.config.problems import ConfigError
from mmcgan.datasets.decode import BadImageError
from mmcgan.origin import Origin
from mmcgan.registry import DATASETS
from tests.test_datasets.life import CLASSES, SIZE, levels, lives, pictures, write_config

datasets = pytest.importorskip("datasets", reason="the extra `hub` is not installed")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Keep what the library keeps in the test's folder, and let nothing be fetched."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def encoded(image):
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def write(folder, images, labels, features=True, name="train-00000-of-00001.parquet"):
    """Write a table as the Hub's are: names of classes in the schema's metadata."""
    folder.mkdir(exist_ok=True, parents=True)
    table = pa.table({"image": pa.array(images), "label": pa.array(labels)})
    if features:
        described = {
            "image": {"_type": "Image"},
            "label": {"names": list(CLASSES), "_type": "ClassLabel"},
        }
        text = json.dumps({"info": {"features": described}})
        table = table.replace_schema_metadata({"huggingface": text})
    pq.write_table(table, folder / name)
    return folder


@pytest.fixture
def folder(tmp_path):
    images = [{"bytes": encoded(image), "path": None} for _, _, image in pictures()]
    return write(tmp_path / "set", images, [number % 2 for number in range(len(images))])


def built(folder, **changes):
    from mmcgan.datasets import HFDataset

    return HFDataset(**{**dict(path=str(folder), image_size=SIZE, label="label"), **changes})


def test_names_and_counts_are_those_of_the_features(folder):
    data = built(folder)
    assert data.metainfo["classes"] == CLASSES and data.metainfo["class_counts"] == (6, 6)
    assert data.labels.tolist() == [0, 1] * 6
    assert levels(data) == [10 + 15 * number for number in range(12)]
    known = type(data).facts(str(folder), SIZE, label="label")
    assert known == dict(num_classes=2, image_size=SIZE, class_counts=(6, 6))


def test_without_labels_and_the_first_rows_only(folder):
    data = built(folder, label=None, size=5)
    assert len(data) == 5 and data.labels is None and "label" not in data[0]


def test_a_stream_keeps_its_first_rows_in_memory(folder, tmp_path):
    data = built(folder, streaming=True, size=7)
    assert levels(data) == levels(built(folder))[:7] and data.labels.tolist() == [0, 1, 0, 1, 0, 1, 0]
    assert data.fingerprint() == built(folder, size=7).fingerprint()
    with pytest.raises(ValueError, match="streaming=True needs size="):
        built(folder, streaming=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(image="picture"), r"image='picture' is no column; it has image \(images\), label \(classes\)"),
        (dict(label="kind"), r"label='kind' is no column; it has image \(images\), label \(classes\)"),
        (dict(image="label"), "image='label' has classes"),
        (dict(split="test"), 'split "test"'),
        (dict(size=0), "size must be a positive whole number"),
        (dict(subset="small"), "subset and revision are for the Hub"),
        (dict(fit="squeeze"), "fit must be one of"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(folder, changes, message):
    with pytest.raises(ValueError, match=message):
        built(folder, **changes)


def test_no_such_set(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder, and no user/set of the Hub"):
        built(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="has no parquet files"):
        built(tmp_path / "empty")
    with pytest.raises((OSError, ValueError), match="HFDataset: nobody/nothing"):
        built("nobody/nothing")


def test_config_errors_name_the_columns(folder, tmp_path):
    config = write_config(tmp_path, dict(type="HFDataset", path=str(folder), image_size=SIZE, label="kind"))
    with pytest.raises(ConfigError, match=r"label='kind' is no column; it has image"):
        load_config(str(config))


@pytest.mark.parametrize("labels", [["a", "b"] * 3, [0, 1] * 3])
def test_classes_without_names_in_the_features(tmp_path, labels):
    images = [{"bytes": encoded(image), "path": None} for _, _, image in pictures(6)]
    data = built(write(tmp_path / "plain", images, labels, features=False))
    assert data.classes == (("a", "b") if labels[0] == "a" else ("0", "1"))
    assert data.labels.tolist() == [0, 1] * 3


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 2, 0, 2], "no row has 1"),
        ([0, 1, None, 1], "the first is row 2"),
        ([0, 0, 0, 0], "only one class"),
        ([0.5, 1.0, 0.5, 1.0], "whole numbers or texts"),
        ([-3, 0, 1, 1], "reach from -3 to 1"),
    ],
)
def test_columns_that_are_no_classes(tmp_path, labels, message):
    images = [{"bytes": encoded(image), "path": None} for _, _, image in pictures(4)]
    with pytest.raises(ValueError, match=message):
        built(write(tmp_path / "bad", images, labels, features=False))


def test_a_row_does_not_lead_out_of_the_set(tmp_path):
    """A stranger's table names files; only those of its folder are read."""
    secret = tmp_path / "secret.png"
    Image.fromarray(np.zeros((SIZE, SIZE, 3), np.uint8)).save(secret)
    inside = tmp_path / "set" / "own.png"
    inside.parent.mkdir()
    Image.fromarray(np.full((SIZE, SIZE, 3), 70, np.uint8)).save(inside)
    (inside.parent / "link.png").symlink_to(secret)
    paths = [
        "own.png", str(inside), str(secret), "../secret.png", "link.png", "https://example.org/a.png", "a\0b"
    ]  # fmt: skip
    images = [{"bytes": None, "path": path} for path in paths]
    data = built(write(inside.parent, images, [0, 1, 0, 1, 0, 1, 0]))
    assert levels_of(data, [0, 1]) == [70, 70]
    for row in range(2, len(paths)):
        with pytest.raises(BadImageError, match=f"image {row}: .*(outside|neither)"):
            data[row]


def written_as(kind, folder, count):
    """Write a set whose column of images has that form, with files of the images beside it."""
    folder.mkdir()
    for name, _, image in pictures(count):
        image.save(folder / name)
    rows = [(folder / name, encoded(image)) for name, _, image in pictures(count)]
    forms = {
        "bytes": [content for _, content in rows],
        "large bytes": pa.array([content for _, content in rows], type=pa.large_binary()),
        "dict of bytes": [{"bytes": content, "path": None} for _, content in rows],
        "dict of a path": [{"bytes": None, "path": file.name} for file, _ in rows],
        "path": [file.name for file, _ in rows],
        "long path": pa.array([file.name for file, _ in rows], type=pa.large_string()),
        "full path": [str(file) for file, _ in rows],
    }
    features = kind.startswith("dict")
    return write(folder, forms[kind], [row % 2 for row in range(count)], features=features)


FORMS = ("bytes", "large bytes", "dict of bytes", "dict of a path", "path", "long path", "full path")


@pytest.mark.parametrize("kind", FORMS)
def test_images_in_every_form_that_tables_have(kind, tmp_path):
    there = written_as(kind, tmp_path / "set", 6)
    data = built(there)
    assert levels(data) == [10 + 15 * number for number in range(6)] and data.labels.tolist() == [0, 1] * 3
    streamed = built(there, streaming=True, size=4)
    assert levels(streamed) == levels(data)[:4]


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("settings", [{}, {"streaming": True, "size": 4}], ids=["table", "stream"])
def test_a_file_that_a_row_names_is_part_of_the_set_in_every_form(kind, settings, tmp_path):
    """The file of a row that has the bytes themselves is none of it."""
    there = written_as(kind, tmp_path / "set", 4)
    first = built(there, **settings)
    before, pixels = (first.fingerprint(), first.source_digest()), levels(first)
    name, _, image = pictures(4)[2]
    image.point(lambda level: 255 - level).save(there / name)
    second = built(there, **settings)
    changed = levels(second) != pixels
    assert changed == ("path" in kind)
    now = (second.fingerprint(), second.source_digest())
    assert (now[0] != before[0], now[1] != before[1]) == (changed, changed)


def test_texts_that_name_no_files_are_refused_at_once(tmp_path):
    folder = write(tmp_path / "set", ["a cat", "a dog"], [0, 1], features=False)
    with pytest.raises(BadImageError, match=r"image 0: its column image has texts, and there is no .*a cat"):
        built(folder)
    with pytest.raises(BadImageError, match="outside the set's folder"):
        built(write(tmp_path / "other", ["/etc/hostname", "b"], [0, 1], features=False))


def levels_of(data, rows):
    return [int(data[row]["image"][0, -1, -1]) for row in rows]


def test_damaged_bytes_are_an_error_that_names_the_row(tmp_path):
    images = [{"bytes": encoded(image), "path": None} for _, _, image in pictures(4)]
    images[2]["bytes"] = images[2]["bytes"][:40]
    data = built(write(tmp_path / "torn", images, [0, 1, 0, 1]))
    with pytest.raises(BadImageError, match=r"torn \(train\): image 2: unreadable"):
        data[2]


def test_a_table_that_is_none(tmp_path):
    (tmp_path / "train.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(ValueError, match="HFDataset"):
        built(tmp_path)


def test_digests_are_of_the_images(folder, tmp_path):
    first = built(folder)
    again = write(
        tmp_path / "copy",
        [first.rows or {"bytes": first.source(i).content} for i in range(12)],
        first.labels.tolist(),
    )
    assert built(again).fingerprint() == first.fingerprint()
    assert built(folder, size=11).fingerprint() != first.fingerprint()
    assert first.part_digest([0, 1]) != first.part_digest([1, 0])


def test_a_table_written_anew_within_its_time_stamp_is_read_anew(folder):
    """The library knows a table by its path and modification time."""
    first, table = built(folder), folder / "train-00000-of-00001.parquet"
    times = table.stat()
    images = [{"bytes": first.source(11 - i).content, "path": None} for i in range(12)]
    write(folder, images, first.labels.tolist())
    os.utime(table, ns=(times.st_atime_ns, times.st_mtime_ns))
    second = built(folder)
    assert second.source(0).content == first.source(11).content
    assert second.fingerprint() != first.fingerprint() and second.source_digest() != first.source_digest()


def test_files_beside_a_table_are_part_of_what_it_is(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    for number, (_, _, image) in enumerate(pictures(4)):
        (folder / f"{number}.png").write_bytes(encoded(image))
    inside = {"bytes": (folder / "0.png").read_bytes(), "path": None}
    images = [inside, *({"bytes": None, "path": f"{i}.png"} for i in range(1, 4))]
    first = built(write(folder, images, [0, 1, 0, 1]))
    digest = first.fingerprint()
    (folder / "2.png").write_bytes((folder / "3.png").read_bytes())
    assert built(folder).fingerprint() != digest


def test_configs_of_others_name_folders_of_their_own_and_nothing_to_download(tmp_path):
    config = dict(type="HFDataset", path="user/set", image_size=8)
    found = checked(config, Origin("a file", tmp_path), "data")
    assert found["path"] == str(tmp_path / "user" / "set")
    with pytest.raises(FileNotFoundError, match="no folder, and no user/set of the Hub"):
        build(DATASETS, config, Origin("a file", tmp_path), "data")
    with pytest.raises(RefusedConfigError, match="outside the model's folder"):
        checked({**config, "path": "/etc"}, Origin("a file", tmp_path), "data")


@pytest.mark.broad  # some ten seconds and more on an old processor
def test_its_life(folder, tmp_path):
    lives(tmp_path, dict(type="HFDataset", path=str(folder), image_size=SIZE, label="label"))


def test_packing(folder, tmp_path):
    config = write_config(tmp_path, dict(type="HFDataset", path=str(folder), image_size=SIZE, label="label"))
    assert main(["pack-dataset", str(config), str(tmp_path / "packed")]) == 0
