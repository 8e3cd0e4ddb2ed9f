import json
import multiprocessing
import pickle
import time

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from mmcgan.cli import main
from mmcgan.datasets import BadImageError, DigitsDataset, ImageFolder, PackedDataset, gan_collate
from mmcgan.datasets.packing.pack import pack
from tests.test_datasets.image_files import class_folders, truncate


@pytest.fixture
def root(tmp_path):
    return class_folders(tmp_path / "source", {"a": 5, "b": 6})


@pytest.fixture
def source(root):
    return ImageFolder(str(root), 8, fit="exact")


@pytest.fixture
def packed(source, tmp_path):
    return pack(source, tmp_path / "packed", shard_images=4).root


def assert_same(one, other):
    assert one.metainfo == other.metainfo
    batches = [data.__getitems__(list(range(len(data)))[::-1]) for data in (one, other)]
    assert torch.equal(batches[0]["image"], batches[1]["image"])
    assert torch.equal(batches[0]["label"], batches[1]["label"])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# --- reading ------------------------------------------------------------------------------------
def test_packed_equals_its_source(source, packed):
    data = PackedDataset(str(packed))
    assert_same(data, source)
    assert PackedDataset.facts(str(packed)) == dict(num_classes=2, image_size=8, class_counts=(5, 6))
    shards = [f"images-{i:05d}.npy" for i in range(3)]
    assert names(packed) == [*shards, "labels.npy", "metadata.json"]
    assert not packed.with_name("packed.partial").exists()


def test_packed_without_labels(root, tmp_path):
    pack(ImageFolder(str(root), 8, labelled=False), tmp_path / "packed")
    data = PackedDataset(str(tmp_path / "packed"))
    assert list(data[0]) == ["image"]
    assert PackedDataset.facts(str(tmp_path / "packed")) == dict(num_classes=0, image_size=8)


def test_packed_set_is_read_in_workers(packed):
    data = PackedDataset(str(packed))
    whole = data.__getitems__(range(11))["image"]  # opens the maps before the workers start
    loader = DataLoader(data, batch_size=3, num_workers=2, collate_fn=gan_collate)
    assert torch.equal(torch.cat([batch["image"] for batch in loader]), whole)
    # a spawned worker gets the data set pickled: without the images in it
    sent = pickle.dumps(data)
    assert len(sent) < 4000
    assert torch.equal(pickle.loads(sent).__getitems__(range(11))["image"], whole)


@pytest.mark.parametrize("name", ["images-00001.npy", "labels.npy"])
def test_damage_is_found(packed, name):
    path = packed / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}: wrong checksum: the file is damaged"):
        PackedDataset(str(packed))
    path.write_bytes(content[:-1])
    with pytest.raises(ValueError, match=rf"{name}: truncated or changed: it has {len(content) - 1} bytes"):
        PackedDataset(str(packed), verify=False)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=rf"{name} is missing"):
        PackedDataset(str(packed), verify=False)


def test_bad_metadata_is_named(packed, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"not a packed data set. Make one with tools/pack_dataset.py"
    ):
        PackedDataset(str(tmp_path))
    path = packed / "metadata.json"
    path.write_text(path.read_text()[:50])
    with pytest.raises(ValueError, match="damaged metadata"):
        PackedDataset.facts(str(packed))
    path.write_text('{"format": "other"}')
    with pytest.raises(ValueError, match="not the metadata of a packed data set of format"):
        PackedDataset(str(packed))


def test_label_out_of_range_is_named(packed):
    path = packed / "metadata.json"
    metadata = json.loads(path.read_text())
    path.write_text(json.dumps({**metadata, "classes": ["a"]}))
    with pytest.raises(ValueError, match=r"label 1 of image 5 is outside 0\.\.0"):
        PackedDataset(str(packed))


# --- making -------------------------------------------------------------------------------------
def test_bad_image_stops_and_nothing_is_lost(root, source, tmp_path):
    good = (root / "b" / "4.png").read_bytes()
    broken = truncate(root / "b" / "4.png")
    with pytest.raises(BadImageError, match=rf"{broken}: unreadable.* --skip-bad"):
        pack(source, tmp_path / "out", shard_images=4)
    assert not (tmp_path / "out").exists()
    first = tmp_path / "out.partial" / "images-00000.npy"
    written = first.stat().st_mtime_ns
    broken.write_bytes(good)
    pack(source, tmp_path / "out", shard_images=4)
    assert (tmp_path / "out" / first.name).stat().st_mtime_ns == written
    assert_same(PackedDataset(str(tmp_path / "out")), source)


def test_skip_bad_lists_what_it_left_out(root, source, tmp_path):
    broken = [truncate(root / "a" / "1.png"), truncate(root / "b" / "0.png")]
    result = pack(source, tmp_path / "out", skip_bad=True, shard_images=4)
    assert result.size == 9
    listed = (tmp_path / "out" / "skipped.txt").read_text().splitlines()
    assert listed == result.skipped
    assert [line.split(": unreadable image")[0] for line in listed] == list(map(str, broken))
    data = PackedDataset(str(tmp_path / "out"))
    assert data.metainfo["class_counts"] == (4, 5)
    assert torch.equal(data[1]["image"], source[2]["image"])
    assert data.labels.tolist() == [0] * 4 + [1] * 5


def test_a_shard_of_bad_images_only(root, source, tmp_path):
    for i in range(4):
        truncate(root / "a" / f"{i}.png")
    pack(source, tmp_path / "out", skip_bad=True, shard_images=4)
    data = PackedDataset(str(tmp_path / "out"))
    assert torch.equal(data[0]["image"], source[4]["image"])


def test_pipelines_are_applied_reproducibly(root, tmp_path):
    source = ImageFolder(str(root), 8, pipeline=[dict(type="RandomFlip", prob=0.5)])
    pack(source, tmp_path / "out", shard_images=4)
    assert_same(PackedDataset(str(tmp_path / "out")), source)
    with pytest.raises(FileExistsError, match="is not this packed data set"):
        pack(ImageFolder(str(root), 8), tmp_path / "out", shard_images=4)


def test_skipping_a_whole_class_is_refused(root, source, tmp_path):
    for path in (root / "a").iterdir():
        truncate(path)
    with pytest.raises(ValueError, match="every image of class 'a' was skipped"):
        pack(source, tmp_path / "out", skip_bad=True)


def test_packing_again_does_nothing(source, packed):
    before = {path: path.stat().st_mtime_ns for path in packed.iterdir()}
    assert pack(source, packed, shard_images=4).size == 11
    assert {path: path.stat().st_mtime_ns for path in packed.iterdir()} == before


def test_something_else_is_never_overwritten(source, packed, tmp_path):
    with pytest.raises(FileExistsError, match="exists and is not this packed data set"):
        pack(DigitsDataset("test", 8), packed)
    other = tmp_path / "mine"
    other.mkdir()
    (other / "thesis.txt").write_text("x")
    with pytest.raises(FileExistsError, match="mine exists"):
        pack(source, other)
    other.rename(tmp_path / "out.partial")
    with pytest.raises(FileExistsError, match=r"out.partial exists and was not made by packing"):
        pack(source, tmp_path / "out")
    assert (tmp_path / "out.partial" / "thesis.txt").read_text() == "x"


def test_unfinished_pack_of_something_else_is_refused(root, source, tmp_path):
    truncate(root / "b" / "4.png")
    with pytest.raises(BadImageError):
        pack(source, tmp_path / "out", shard_images=4)
    with pytest.raises(FileExistsError, match="unfinished pack of something else"):
        pack(ImageFolder(str(root), 6), tmp_path / "out", shard_images=4)


def test_killed_run_goes_on_where_it_stopped(root, source, tmp_path):
    fast = source._read
    source._read = lambda index: time.sleep(0 if index < 8 else 60) or fast(index)
    process = multiprocessing.get_context("fork").Process(
        target=pack, args=(source, tmp_path / "out", False, 4)
    )
    process.start()
    second = tmp_path / "out.partial" / "images-00001.json"
    deadline = time.monotonic() + 120
    while not second.exists() and process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.join()
    source._read = fast
    assert second.exists()
    (tmp_path / "out.partial" / "images-00002.npy.tmp").write_bytes(b"half a shard")
    written = (tmp_path / "out.partial" / "images-00001.npy").stat().st_mtime_ns
    pack(source, tmp_path / "out", shard_images=4)
    assert (tmp_path / "out" / "images-00001.npy").stat().st_mtime_ns == written
    assert "images-00002.npy.tmp" not in names(tmp_path / "out")
    assert_same(PackedDataset(str(tmp_path / "out")), source)


def test_killed_just_before_the_end(source, packed):
    partial = packed.with_name("packed.partial")
    packed.rename(partial)
    plan = json.loads((partial / "metadata.json").read_text())["plan"]
    (partial / "plan.json").write_text(json.dumps(plan))
    pack(source, packed, shard_images=4)
    assert_same(PackedDataset(str(packed)), source)
    assert "plan.json" not in names(packed)


# --- the command --------------------------------------------------------------------------------
def test_command_packs_a_folder(root, tmp_path, capsys):
    truncate(root / "a" / "1.png")
    out = tmp_path / "out"
    assert main(["pack-dataset", str(root), str(out), "--image-size", "8"]) == 2
    assert "--skip-bad" in capsys.readouterr().err
    assert main(["pack-dataset", str(root), str(out), "--image-size", "8", "--skip-bad"]) == 0
    printed = capsys.readouterr().out
    assert f"{out}: 10 images" in printed
    assert f"1 images skipped; they are listed in {out / 'skipped.txt'}" in printed
    assert np.load(out / "labels.npy").tolist() == [0] * 4 + [1] * 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --image-size"),
        (["--image-size", "8", "--cfg-options", "a=1"], "--cfg-options is for configs"),
    ],
)
def test_command_names_bad_arguments(root, tmp_path, capsys, arguments, message):
    assert main(["pack-dataset", str(root), str(tmp_path / "out"), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_command_packs_the_training_set_of_a_config(tmp_path, capsys):
    options = ["--cfg-options", "train_dataloader.dataset.split=test"]
    assert main(["pack-dataset", "omnigan_biggan_digits-16", str(tmp_path / "out"), *options]) == 0
    assert_same(PackedDataset(str(tmp_path / "out")), DigitsDataset("test", 16))
    assert main(["pack-dataset", "omnigan_biggan_digits-16", str(tmp_path / "o"), "--unlabelled"]) == 2
    assert "--unlabelled are for folders" in capsys.readouterr().err
