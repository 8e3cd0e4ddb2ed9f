"""Making a store: interrupted, shared between processes, of bad input."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from mmcgan.cli import main
from mmcgan.commands.prepare_instances import memory_size
from mmcgan.extractors.small_classifier import SmallClassifier
from mmcgan.instance_preparation import prepare, workshop
from mmcgan.registry import DATASETS
from tests.test_datasets.image_files import class_folders, truncate
from tests.test_instances.stores import NoisyImages, PixelExtractor, make_store

ARRAYS = ("features", "flipped", "neighbours", "radius", "selected", "labels", "class_order", "class_starts")


def contents(folder):
    return {name: (folder / f"{name}.npy").read_bytes() for name in ARRAYS}


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(workshop, "BLOCK_IMAGES", 8)
    monkeypatch.setattr("mmcgan.instances.faiss_search.QUERY_ROWS", 8)
    monkeypatch.setattr("mmcgan.instances.faiss_search.WHOLE_CHUNK", 8)


@pytest.mark.parametrize("step", ["extract_block", "write_rows", "write_file", "kmeans", "select_instances"])
@pytest.mark.parametrize("call", [1, 3])
def test_an_interrupted_run_goes_on(tmp_path, monkeypatch, small_blocks, step, call):
    whole = make_store(tmp_path / "whole")[0]
    original, calls = getattr(prepare, step), []

    def interrupted(*args, **kwargs):
        calls.append(step)
        if len(calls) == call:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    users = [module for module in (prepare, workshop) if hasattr(module, step)]
    for module in users:
        monkeypatch.setattr(module, step, interrupted)
    try:
        make_store(tmp_path / "store")
    except KeyboardInterrupt:
        assert not (tmp_path / "store").exists()
    for module in users:
        monkeypatch.setattr(module, step, original)
    store = make_store(tmp_path / "store")[0]
    assert contents(store.root) == contents(whole.root)
    assert not (tmp_path / "store.partial").exists()
    assert {path.name for path in store.root.iterdir()} == {f"{n}.npy" for n in ARRAYS} | {"metadata.json"}


def test_finished_blocks_are_not_done_again(tmp_path, monkeypatch, small_blocks):
    original, done = prepare.extract_block, []

    def counted(network, dataset, start, stop, flip):
        if start == 16 and not done.count(-1):
            done.append(-1)
            raise KeyboardInterrupt
        done.append(start)
        return original(network, dataset, start, stop, flip)

    monkeypatch.setattr(prepare, "extract_block", counted)
    with pytest.raises(KeyboardInterrupt):
        make_store(tmp_path / "store")
    make_store(tmp_path / "store")
    assert done == [0, 8, -1, 16, 24, 32]


COMMAND = [sys.executable, "-m", "mmcgan.cli", "prepare-instances"]
DIGITS = ["--dataset", "omnigan_biggan_digits-16", "--extractor", "digits-16", "--k", "6", "--kmeans", "20"]


def run(*extra, kill_when=None):
    process = subprocess.Popen([*COMMAND, *DIGITS, *map(str, extra)], stderr=subprocess.DEVNULL)
    while kill_when is not None and not kill_when() and process.poll() is None:
        time.sleep(0.002)
    if kill_when is not None:
        process.send_signal(signal.SIGKILL)
    return process.wait()


def test_a_killed_process_goes_on(tmp_path):
    out, partial = tmp_path / "store", tmp_path / "store.partial"
    killed = run("--flip", "--out", out, kill_when=lambda: any(partial.glob("done/features-*")))
    assert killed == -signal.SIGKILL and not out.exists()
    assert main(["prepare-instances", *DIGITS, "--flip", "--out", str(out)]) == 0
    assert main(["prepare-instances", *DIGITS, "--flip", "--out", str(tmp_path / "whole")]) == 0
    assert contents(out) == contents(tmp_path / "whole")


def test_two_ranks_make_the_same_store(tmp_path, small_blocks, monkeypatch):
    """Both ranks run here, in turn, each in a process of its own that this test forks."""
    whole = make_store(tmp_path / "whole")[0]
    children = []
    for rank in range(2):
        child = os.fork()
        if child == 0:
            workshop.get_dist_info = lambda rank=rank: (rank, 2)
            make_store(tmp_path / "store")
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert contents(tmp_path / "store") == contents(whole.root)


@pytest.mark.broad
def test_torchrun_makes_the_same_store(tmp_path):
    class_folders(tmp_path / "flowers", dict(daisy=6, tulip=5))
    given = ["--images", str(tmp_path / "flowers"), "--extractor", "digits-16", "--k", "3", "--kmeans", "4"]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launch, "-m", "mmcgan.cli", "prepare-instances", *given, "--flip", "--out"]
    subprocess.run([*command, str(tmp_path / "ranks")], check=True, stderr=subprocess.DEVNULL, timeout=300)
    assert main(["prepare-instances", *given, "--flip", "--out", str(tmp_path / "one")]) == 0
    assert contents(tmp_path / "ranks") == contents(tmp_path / "one")


def test_a_finished_store_is_left_alone_and_others_are_refused(tmp_path):
    store, _ = make_store(tmp_path / "store")
    stamp = (store.root / "features.npy").stat().st_mtime_ns
    assert make_store(tmp_path / "store")[0].root == store.root
    assert (store.root / "features.npy").stat().st_mtime_ns == stamp
    with pytest.raises(FileExistsError, match=r"something else \(other options\)"):
        make_store(tmp_path / "store", k=4)
    with pytest.raises(FileExistsError, match="other dataset"):
        make_store(tmp_path / "store", size=41)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(FileExistsError, match="no instance store"):
        make_store(tmp_path / "mine")
    shutil.copytree(tmp_path / "mine", tmp_path / "other.partial")
    with pytest.raises(FileExistsError, match="was not made by this command"):
        make_store(tmp_path / "other")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(k=40), "--k 40: must be in 1..39"),
        (dict(k=0), "--k 0"),
        (dict(kmeans=41), "--kmeans 41: must be in 0..40"),
    ],
)
def test_impossible_sizes_are_refused_before_work(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        make_store(tmp_path / "store", **options)
    assert not (tmp_path / "store.partial").exists()


def test_features_that_are_not_finite_name_the_image(tmp_path, monkeypatch):
    encode = PixelExtractor.encode

    def broken(self, pixels):
        output = encode(self, pixels)
        output.features[-1] = torch.nan
        return output

    monkeypatch.setattr(PixelExtractor, "encode", broken)
    with pytest.raises(ValueError, match="the feature of image 31 is not finite"):
        make_store(tmp_path / "store", precision="float32")


def test_black_images_are_counted(tmp_path, monkeypatch):
    original = NoisyImages.__init__

    def with_black(self, *args, **kwargs):
        original(self, *args, **kwargs)
        self.images[5] = 0

    monkeypatch.setattr(NoisyImages, "__init__", with_black)
    store = make_store(tmp_path / "store", precision="float32")[0]
    assert store.metadata["zero_features"] == 1
    assert not store.features(torch.tensor([5])).any()


def test_a_folder_of_images_serves_at_any_size(tmp_path, capsys):
    class_folders(tmp_path / "flowers", dict(daisy=6, tulip=5))
    out = str(tmp_path / "store")
    command = ["prepare-instances", "--images", str(tmp_path / "flowers"), "--extractor", "digits-16"]
    assert main([*command, "--k", "3", "--kmeans", "4", "--out", out]) == 0
    assert "11 instances of dimension 64, 3 neighbours each, 4 selected" in capsys.readouterr().out
    images = dict(type="ImageFolder", root=str(tmp_path / "flowers"), image_size=8)
    pairs = DATASETS.build(dict(type="NeighbourhoodDataset", dataset=images, store=out))
    assert pairs[2]["image"].shape == (3, 8, 8) and pairs[2]["instance"].shape == (64,)
    metadata = json.loads((tmp_path / "store" / "metadata.json").read_text())
    assert metadata["command"].startswith("mmcgan prepare-instances --images")


def test_an_unreadable_photo_is_named(tmp_path, capsys):
    class_folders(tmp_path / "flowers", dict(daisy=6, tulip=5))
    truncate(tmp_path / "flowers" / "tulip" / "3.png")
    command = ["prepare-instances", "--images", str(tmp_path / "flowers"), "--extractor", "digits-16"]
    assert main([*command, "--k", "3", "--out", str(tmp_path / "store")]) == 2
    error = capsys.readouterr().err
    assert "3.png" in error and "repair or remove it and run again" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "omnigan_biggan_digits-16", "--extractor", "digit-16"], "digits-16"),
        (["--images", "/nowhere", "--extractor", "digits-16"], "/nowhere: no such folder"),
        (
            ["--dataset", "omnigan_biggan_digits-16", "--extractor", "swav-resnet50:a.pth"],
            "no weight file a.pth",
        ),
        (["--dataset", "omnigan_biggan_digits-16", "--extractor", "a/b.safetensors"], "no such file"),
        (
            ["--dataset", "omnigan_biggan_digits-16", "--extractor", "digits-16", "--image-size", "8"],
            "for --images",
        ),
    ],
)
def test_bad_arguments_are_one_message(tmp_path, capsys, arguments, message):
    assert main(["prepare-instances", *arguments, "--out", str(tmp_path / "store")]) == 2
    assert message in capsys.readouterr().err


def test_memory_sizes():
    assert memory_size("2GB") == 2 << 30 and memory_size("1500 MB") == 1500 << 20
    with pytest.raises(Exception, match="too little"):
        memory_size("100MB")
    with pytest.raises(Exception, match="no size"):
        memory_size("much")


def test_arrays_are_plain_numpy_files(tmp_path):
    store, _ = make_store(tmp_path / "store")
    assert np.load(store.root / "neighbours.npy", allow_pickle=False).dtype == np.int32


def test_a_rank_that_waits_for_a_dead_one_gives_up(tmp_path, monkeypatch):
    monkeypatch.setattr(workshop, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(workshop, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(workshop, "get_dist_info", lambda: (1, 2))
    with pytest.raises(TimeoutError, match=r"rank 1 waits for .*has that rank died\? What is done stays"):
        make_store(tmp_path / "store")


def test_the_extractor_is_built_once(tmp_path, monkeypatch):
    built = []
    original = SmallClassifier.__init__

    def counted(self, *args, **kwargs):
        built.append(args)
        original(self, *args, **kwargs)

    monkeypatch.setattr(SmallClassifier, "__init__", counted)
    assert main(["prepare-instances", *DIGITS, "--flip", "--out", str(tmp_path / "store")]) == 0
    assert len(built) == 1
