"""Tar shards: written and read as webdataset does, drawn in an order that nothing else decides."""

import io
import json
import os
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from mmcgan.cli import main
from mmcgan.datasets import BadImageError, ImageFolder, ShardDataset, ShardShuffle, gan_collate
from mmcgan.datasets.packing import shards as packed_shards
from mmcgan.datasets.packing.forms import TarShards
from mmcgan.datasets.packing.pack import pack
from mmcgan.datasets.packing.tar_index import LARGEST_HEADER, index_of
from mmcgan.evaluation.image_source import open_images
from tests.test_datasets.life import CLASSES, SIZE, levels, lives, pictures


@pytest.fixture
def folder(tmp_path):
    for name, kind, image in pictures():
        (tmp_path / "set" / kind).mkdir(parents=True, exist_ok=True)
        image.save(tmp_path / "set" / kind / name)
    return str(tmp_path / "set")


@pytest.fixture
def shards(folder, tmp_path):
    assert (
        main(["pack-dataset", folder, str(tmp_path / "shards"), "--to", "shards", "--shard-images", "5"]) == 0
    )
    return str(tmp_path / "shards")


def test_shards_have_the_files_as_they_were(folder, shards):
    there, packed = ImageFolder(folder, SIZE), ShardDataset(shards, SIZE)
    assert packed.shard_sizes == [5, 5, 2] and packed.classes == CLASSES
    assert levels(packed) == levels(there) and packed.labels.tolist() == there.labels.tolist()
    assert ShardDataset.facts(shards, SIZE)["class_counts"] == (6, 6)
    with open(there.path_of(7), "rb") as file:
        assert packed.source(7).content == file.read()
    assert ShardDataset(shards, SIZE, labelled=False).labels is None


def test_without_metadata_the_headers_tell_the_same(shards):
    described = ShardDataset(shards, SIZE)
    for name in ("metadata.json", "labels.npy", "places.npy"):
        os.unlink(os.path.join(shards, name))
    scanned = ShardDataset(shards, SIZE)
    assert scanned.classes == ("0", "1") and scanned.labels.tolist() == described.labels.tolist()
    assert np.array_equal(scanned.places, described.places) and levels(scanned) == levels(described)


@pytest.mark.parametrize("text", ["[1, 2]", '{"made": "by others"}', '{"format": "wds"}', "{", "3", "\xff"])
def test_metadata_of_others_beside_images_say_nothing(shards, folder, text):
    """Many programs call a file so; one of ours that is damaged is said."""
    own = os.path.join(shards, "metadata.json")
    with open(own) as file:
        written = file.read()
    for name in ("labels.npy", "places.npy"):
        os.unlink(os.path.join(shards, name))
    for place in (shards, folder):
        with open(os.path.join(place, "metadata.json"), "w", encoding="latin-1") as file:
            file.write(text)
        assert packed_shards.has_shards(place) == (place == shards)
        assert len(open_images(place, image_size=SIZE).dataset) == 12
    assert levels(ShardDataset(shards, SIZE)) == levels(ImageFolder(folder, SIZE))
    with open(own, "w") as file:
        file.write(written[:60])
    for read in (packed_shards.has_shards, lambda place: ShardDataset(place, SIZE)):
        with pytest.raises(ValueError, match=r"damaged metadata.*metadata\.json"):
            read(shards)


def test_images_of_a_size_are_stored_without_loss(folder, tmp_path):
    out = str(tmp_path / "small")
    assert main(["pack-dataset", folder, out, "--to", "shards", "--image-size", "4"]) == 0
    there, packed = ImageFolder(folder, 4), ShardDataset(out, 4, fit="exact")
    assert all(torch.equal(there[row]["image"], packed[row]["image"]) for row in range(12))


def test_packing_goes_on_where_it_was_killed(folder, tmp_path, monkeypatch):
    images, out = ImageFolder(folder, SIZE), tmp_path / "out"
    written = []

    def stop(self, path, *rest):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(path.name)
        return original(self, path, *rest)

    original = TarShards.write
    monkeypatch.setattr(TarShards, "write", stop)
    with pytest.raises(KeyboardInterrupt):
        pack(images, out, shard_images=4, form=TarShards(True))
    written.clear()
    pack(images, out, shard_images=4, form=TarShards(True))
    assert written == ["images-00002.tar"] and levels(ShardDataset(str(out), SIZE)) == levels(images)
    with pytest.raises(FileExistsError, match="is not this packed data set"):
        pack(images, out, shard_images=4, form=TarShards(False))
    with pytest.raises((FileExistsError, ValueError), match=r"is not this|of format"):
        pack(images, out)


def test_the_library_reads_ours_and_we_read_its(shards, tmp_path):
    library = pytest.importorskip("webdataset", reason="the extra `webdataset` is not installed")
    paths = [os.path.join(shards, name) for name in sorted(os.listdir(shards)) if name.endswith(".tar")]
    theirs = (
        library.WebDataset(paths, shardshuffle=False, empty_check=False).decode("rgb8").to_tuple("png", "cls")
    )
    found = [(int(image[-1, -1, 0]), label) for image, label in theirs]
    ours = ShardDataset(shards, SIZE)
    assert found == list(zip(levels(ours), ours.labels.tolist(), strict=True))
    (tmp_path / "its").mkdir()
    with library.ShardWriter(str(tmp_path / "its" / "a-%02d.tar"), maxcount=5, verbose=0) as writer:
        for number, (name, kind, image) in enumerate(pictures()):
            more = {"json": {"anything": number}, "png": np.array(image), "cls": CLASSES.index(kind)}
            writer.write({"__key__": f"deeper.d/{name[:-4]}", **more})
    read = ShardDataset(str(tmp_path / "its"), SIZE)
    assert levels(read) == [10 + 15 * number for number in range(12)] and read.labels.tolist() == [0, 1] * 6


# --- order ----------------------------------------------------------------------------------------
class Sizes:
    """Stands for a set in shards."""

    def __init__(self, *sizes):
        self.shard_sizes = list(sizes)

    def __len__(self):
        return sum(self.shard_sizes)


def stream(sampler, count):
    draws = iter(sampler)
    return [int(next(draws)) for _ in range(count)]


def sampler_of(sizes, rank=0, ranks=1, **options):
    """Return the sampler of one of several processes."""
    made = ShardShuffle(Sizes(*sizes), seed=5, **options)
    made.rank, made.world_size = rank, ranks
    return made


UNEVEN = (10, 3, 25, 1, 40, 17)


@pytest.mark.parametrize("lanes", [1, 4, 6, 64, 200])
def test_every_image_comes_once_an_epoch(lanes):
    size = sum(UNEVEN)
    drawn = stream(sampler_of(UNEVEN, lanes=lanes, window=8), 3 * size)
    epochs = [drawn[start : start + size] for start in range(0, 3 * size, size)]
    assert all(sorted(epoch) == list(range(size)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert drawn == stream(sampler_of(UNEVEN, lanes=lanes, window=8), 3 * size)


def test_going_on_anywhere_is_never_having_stopped():
    whole = stream(sampler_of(UNEVEN, lanes=4), 400)
    for position in (1, 95, 96, 97, 250):
        later = sampler_of(UNEVEN, lanes=4)
        later.start(position)
        assert stream(later, 50) == whole[position : position + 50]


def test_processes_together_read_what_one_reads_and_each_its_own_shards():
    sizes, options = (50,) * 32, dict(lanes=8, window=50)
    whole = stream(sampler_of(sizes, **options), 1600)
    parts = [stream(sampler_of(sizes, rank, 4, **options), 400) for rank in range(4)]
    assert [parts[place % 4][place // 4] for place in range(1600)] == whole
    read = [{image // 50 for image in part} for part in parts]
    assert all(len(shards) == 8 for shards in read) and len(set.union(*read)) == 32
    # and one after another: of its two lanes the first shard each, and then the next
    assert len({image // 50 for image in parts[0][:100]}) == 2


def test_numbers_that_do_not_fit(monkeypatch):
    with pytest.raises(ValueError, match="is not in shards"):
        ShardShuffle(range(5))
    with pytest.raises(ValueError, match="at least 1"):
        ShardShuffle(Sizes(4), lanes=0)
    monkeypatch.setattr("mmcgan.datasets.order.get_dist_info", lambda: (0, 3))
    with pytest.raises(ValueError, match="lanes=64 must be a multiple of the 3 processes"):
        ShardShuffle(Sizes(4))


def test_workers_read_what_one_process_reads(shards):
    data = ShardDataset(shards, SIZE)
    data[0]
    batches = []
    for workers in (0, 2):
        loader = DataLoader(
            data, 4, sampler=ShardShuffle(data, 1, lanes=2), num_workers=workers, collate_fn=gan_collate
        )
        batches.append([batch["image"] for _, batch in zip(range(9), loader, strict=False)])
    assert all(map(torch.equal, *batches))


# --- what strangers' shards may be ----------------------------------------------------------------
def encoded():
    stream = io.BytesIO()
    Image.new("RGB", (SIZE, SIZE), (9, 8, 7)).save(stream, "PNG")
    return stream.getvalue()


def tar(root, members, name="a.tar", mode="w"):
    root.mkdir(exist_ok=True)
    with tarfile.open(root / name, mode) as file:
        for called, content, *changes in members:
            entry = tarfile.TarInfo(called)
            entry.size = len(content)
            for key, value in (changes[0] if changes else {}).items():
                setattr(entry, key, value)
            file.addfile(entry, io.BytesIO(content))
    return str(root)


def test_names_lead_nowhere_and_other_members_are_passed_over(tmp_path):
    link = dict(type=tarfile.SYMTYPE, linkname="/etc/passwd", size=0)
    members = [
        ("../../out.png", encoded()),
        ("/abs.png", encoded()),
        ("link.png", b"", link),
        ("a.txt", b"text"),
    ]
    root = tar(tmp_path / "set", members)
    data = ShardDataset(root, SIZE, labelled=False)
    assert len(data) == 2 and data[1]["image"][0, 0, 0] == 9
    assert sorted(os.listdir(tmp_path)) == ["set"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("a.png", b"x"), ("a.jpg", b"x")], "two images are called /a"),
        ([("a.png", b"x"), ("a.cls", b"cat")], "a class is a whole number, got b'cat'"),
        ([("a.png", b"x"), ("a.cls", b"1" * 5000)], "a class is a whole number"),
        ([("a.png", b"x"), ("a.cls", b"0"), ("b.png", b"x")], "/b has no class"),
        ([("a.png", b"x"), ("a.cls", b"1")], "no image has class 0"),
        ([("a.txt", b"x")], "has no images"),
        ([("a.png", b"x")], "has no classes"),
    ],
)
def test_what_is_wrong_with_a_shard_is_named(tmp_path, members, message):
    with pytest.raises(ValueError, match=message):
        ShardDataset(tar(tmp_path / "set", members), SIZE)


def test_compressed_torn_and_huge(tmp_path, monkeypatch):
    packed = tar(tmp_path / "gz", [("a.png", encoded())], mode="w:gz")
    with pytest.raises(ValueError, match="not a tar file without compression"):
        ShardDataset(packed, SIZE)
    root = tar(tmp_path / "torn", [("a.png", encoded())])
    with open(tmp_path / "torn" / "a.tar", "r+b") as file:
        file.truncate(540)
    with pytest.raises(ValueError, match=r"torn|not a tar file"):
        ShardDataset(root, SIZE)
    comment = dict(pax_headers={"comment": "x" * (LARGEST_HEADER + 1)})
    with pytest.raises(ValueError, match="a header of"):
        index_of(f"{tar(tmp_path / 'wide', [('a.png', b'x', comment)])}/a.tar")
    monkeypatch.setenv("MMCGAN_MAX_PIXELS", "4")
    with pytest.raises(BadImageError, match="64 are allowed"):
        ShardDataset(tar(tmp_path / "large", [("a.png", encoded())]), SIZE, labelled=False)[0]


def test_places_of_strangers_stay_in_the_shard(shards, monkeypatch):
    """Metadata is data: places beyond the file, or a file elsewhere, are errors."""
    data = ShardDataset(shards, SIZE)
    places = data.places.copy()
    places[0], places[1], places[2] = (-5, 10), (10**12, 10), (0, 2**60)
    np.save(os.path.join(shards, "places.npy"), places)
    data = ShardDataset(shards, SIZE)
    for row in range(3):
        with pytest.raises(BadImageError, match=r"images-00000\.tar: image"):
            data[row]
    path = os.path.join(shards, "metadata.json")
    with open(path) as file:
        metadata = json.load(file)
    metadata["shards"][0]["file"] = "../images-00000.tar"
    with open(path, "w") as file:
        json.dump(metadata, file)
    with pytest.raises(ValueError, match="no file of this folder"):
        ShardDataset(shards, SIZE)


def test_a_file_that_no_cache_keeps_is_open_until_it_is_read(shards, monkeypatch):
    """Threads that ask at once each open the shard, and the cache keeps one: the others must serve too."""
    dataset = ShardDataset(shards, SIZE)
    expected = [dataset.source(row).content for row in range(12)]
    monkeypatch.setattr(packed_shards, "_opened", packed_shards._opened.__wrapped__)
    assert [dataset.source(row).content for row in range(12)] == expected


def test_a_shard_changed_in_place_is_no_longer_the_set(shards):
    """Same size, same modification time, a pixel: the checksums of the metadata tell."""
    before = ShardDataset(shards, SIZE).fingerprint()
    path, place = os.path.join(shards, "images-00001.tar"), ShardDataset(shards, SIZE).places[6]
    times = os.stat(path)
    with open(path, "r+b") as file:
        file.seek(int(place[0] + place[1] - 20))
        file.write(b"!")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    changed = ShardDataset(shards, SIZE)
    for digest in (changed.fingerprint, changed.source_digest):
        with pytest.raises(ValueError, match=r"images-00001\.tar: wrong checksum"):
            digest()
    os.unlink(os.path.join(shards, "metadata.json"))
    assert ShardDataset(shards, SIZE).fingerprint() != before


@pytest.mark.broad  # some ten seconds and more on an old processor
def test_its_life(shards, tmp_path):
    dataset = dict(type="ShardDataset", root=shards, image_size=SIZE)
    lives(tmp_path, dataset, sampler="ShardShuffle")
