"""A damaged checkpoint is never continued from, whatever is damaged; an older good one is."""

import copy
import itertools
import random

import pytest
import torch

from mmcgan.checkpoints.checksum import checksum
from mmcgan.checkpoints.files import CheckpointError, load_checkpoint, save_checkpoint
from mmcgan.engine.resumable import faults
from mmcgan.engine.resume import find_resume_file

from .tiny_run import differences, train

FLIPS = 250
#: what stands in place of a good value: something of another kind
WRONG = ("text", None, -1.5, [1, "a"], {"a": 1}, torch.zeros(2))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    scheduler = dict(generator=[dict(type="ConstantLR", by_epoch=False)])
    train(folder, param_scheduler=scheduler, train_cfg=dict(max_iters=6))
    return folder


def test_a_flipped_bit_anywhere_is_found_or_changes_nothing(run, tmp_path):
    content = (run / "iter_6.pth").read_bytes()
    good = load_checkpoint(run / "iter_6.pth")
    draw, path = random.Random(0), tmp_path / "iter_6.pth"
    harmless = 0
    # the directory of the archive, at its end, decides how everything else is read
    places = [draw.randrange(len(content)) for _ in range(FLIPS)]
    places += [draw.randrange(len(content) - 20_000, len(content)) for _ in range(FLIPS)]
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        try:
            found = load_checkpoint(path)
        except CheckpointError:
            continue
        harmless += 1
        assert differences(good, found) == [], f"byte {place}"
    assert harmless < 2 * FLIPS * 0.6  # padding between members, times, local headers


def leaves(value, path=()):
    """Yield the paths of values inside dictionaries, outer before inner."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from leaves(item, (*path, key))


@pytest.mark.parametrize(
    "part", ["meta", "optimizer", "message_hub", "random", "param_schedulers", "state_dict"]
)
def test_a_part_of_another_kind_is_passed_over_for_an_older_file(part, run, tmp_path):
    good = load_checkpoint(run / "iter_6.pth")
    save_checkpoint(load_checkpoint(run / "iter_3.pth"), tmp_path / "iter_3.pth")
    for wrong in WRONG[:4]:
        save_checkpoint({**good, part: wrong}, tmp_path / "iter_6.pth")
        path, notes = find_resume_file(tmp_path, None)
        assert path == tmp_path / "iter_3.pth"
        assert any("iter_6.pth cannot be resumed" in note for note in notes)


NEEDED = {
    "meta": ["iter", "images_seen"],
    "message_hub": ["scalars", "info"],
    "random": [],
    "optimizer": ["generator", "discriminator"],
}


@pytest.mark.parametrize("part", NEEDED)
def test_a_value_of_another_kind_inside_a_part_is_a_fault(part, run):
    good = load_checkpoint(run / "iter_6.pth")
    assert list(faults(good)) == []
    for key, wrong in itertools.product(NEEDED[part], ("text", None, -1.5, [1, "a"])):
        broken = copy.deepcopy(good)
        broken[part][key] = wrong
        assert list(faults(broken)), (part, key, wrong)


def test_a_value_of_another_kind_inside_a_generator_of_numbers_is_a_fault(run):
    good = load_checkpoint(run / "iter_6.pth")
    for key, wrong in itertools.product(good["random"][0].keys() - {"cuda"}, WRONG[:4]):
        broken = copy.deepcopy(good)
        broken["random"][0][key] = wrong
        assert list(faults(broken)), (key, wrong)


def test_whatever_is_wrong_inside_a_file_is_a_fault_or_resumes_without_a_traceback(run, tmp_path):
    good = load_checkpoint(run / "iter_6.pth")
    draw = random.Random(1)
    places = list(leaves({k: good[k] for k in ("meta", "optimizer", "message_hub")}))
    for place in draw.sample(places, min(len(places), 120)):
        broken = copy.deepcopy(good)
        holder = broken
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = draw.choice(WRONG)
        list(faults(broken))  # raises nothing


def test_every_load_compares_the_checksum(tmp_path):
    save_checkpoint({"state_dict": {"w": torch.arange(8.0)}}, tmp_path / "w.pth")
    content = (tmp_path / "w.pth").read_bytes()
    place = content.index(torch.arange(8.0).numpy().tobytes())
    (tmp_path / "w.pth").write_bytes(content[: place + 9] + b"\x01" + content[place + 10 :])
    with pytest.raises(CheckpointError, match=r"w\.pth .*damaged \(its checksum differs\)"):
        load_checkpoint(tmp_path / "w.pth")


def test_the_checksum_is_of_names_order_types_shapes_and_bytes():
    base = {"a": torch.zeros(2, 3), "b": [1.0] * 20, "c": "x"}
    others = [
        {"z": torch.zeros(2, 3), "b": [1.0] * 20, "c": "x"},
        {"b": [1.0] * 20, "a": torch.zeros(2, 3), "c": "x"},
        {**base, "a": torch.zeros(3, 2)},
        {**base, "a": torch.zeros(2, 3, dtype=torch.int32)},
        {**base, "a": torch.zeros(3, 2).t()},
        {**base, "a": torch.tensor([[0.0, 0, 0], [0, 0, -0.0]])},
        {**base, "b": [1.0] * 19 + [2.0]},
        {**base, "b": tuple([1.0] * 20)},
        {**base, "c": b"x"},
        {**base, "c": True},
        {**base, "c": 1},
        {**base, "c": 1.0},
    ]
    found = [checksum(state) for state in (base, *others)]
    assert len(set(found)) == len(found)
    channels_last = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    assert checksum({"a": channels_last}) == checksum({"a": channels_last.clone()})
    assert checksum({"a": torch.ones(3, dtype=torch.bfloat16)}) != checksum({"a": torch.ones(3)})


def test_a_full_disk_is_named_and_leaves_the_older_file_whole(tmp_path):
    save_checkpoint({"state_dict": {"w": torch.ones(3)}}, tmp_path / "iter_1.pth")
    full = tmp_path / "iter_1.pth.tmp"
    full.symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"cannot write .*iter_1\.pth: No space left on device"):
        save_checkpoint({"state_dict": {"w": torch.ones(10**6)}}, tmp_path / "iter_1.pth")
    assert load_checkpoint(tmp_path / "iter_1.pth")["state_dict"]["w"].tolist() == [1, 1, 1]
