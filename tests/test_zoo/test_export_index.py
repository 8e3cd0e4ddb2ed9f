"""The index beside exported weights: entered by several at once, and never somebody else's file."""

import json
import multiprocessing

import pytest
import torch

from mmcgan.cli import main
from mmcgan.models.discriminator import Discriminator
from mmcgan.weights import INDEX
from mmcgan.zoo import export_index
from mmcgan.zoo.export_index import enter_in_index, read_export_index, write_with_entry
from tests.test_trust import hostile

EACH = 12


@pytest.fixture
def run(tmp_path):
    """A checkpoint that has a generator and a discriminator, and the folder to export to."""
    network = dict(
        backbone=dict(type="DCGANBackbone", image_size=8, base_channels=4),
        heads=dict(adv=dict(type="ProjectionHead", num_classes=3)),
    )
    file = tmp_path / "run.pth"
    hostile.write_run(
        file, dict(generator=hostile.GENERATOR, condition_sampler=hostile.LABEL, discriminator=network)
    )
    content = torch.load(file, weights_only=True)
    state = Discriminator(**network).state_dict()
    content["state_dict"] |= {f"discriminator.{key}": value for key, value in state.items()}
    torch.save(content, file)
    (tmp_path / "out").mkdir()
    return file, tmp_path / "out"


def export(run, name, *more):
    return main(["export-weights", str(run[0]), str(run[1] / f"{name}.safetensors"), *more])


def entering(folder, who):
    for number in range(EACH):
        write_with_entry(
            folder / f"{who}{number}.safetensors", b"x", {"made_by": who}, "generator", None, None
        )


def test_no_entry_is_lost_when_processes_export_at_once(tmp_path):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=entering, args=(tmp_path, who)) for who in ("a", "b", "c")]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    index = json.loads((tmp_path / "index.json").read_text())
    files = {path.name for path in tmp_path.glob("*.safetensors")}
    assert len(index) == 3 * EACH and {entry["file"] for entry in index.values()} == files
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "index.json: not an index of exported weights: a list, not a dict"),
        ("{", "index.json: not an index of exported weights: no JSON"),
        ('{"zebra":1,   "apple":{"x":1}}', "'zebra' has no file. Every export beside it"),
        ('{"apple":{"x":1}}', "'apple' has no file"),
        ('{"a":{"file":"a.safetensors","kind":"generator"}}', "'a' has no sha256"),
        ('{"a":{"file":"a.safetensors","kind":3,"sha256":"0"}}', "'a' has no kind"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--discriminator",)], ids=["generator", "discriminator"])
def test_another_index_is_refused_before_work_and_stays_as_it_is(run, capsys, text, message, more):
    index = run[1] / "index.json"
    index.write_text(text)
    assert export(run, "own", *more) == 2
    assert message in capsys.readouterr().err
    assert index.read_text() == text and [path.name for path in run[1].iterdir()] == ["index.json"]
    index.unlink()
    assert export(run, "own", *more) == 0
    assert list(json.loads(index.read_text())) == ["own"]


def test_weights_that_cannot_be_entered_are_not_left_behind(tmp_path, monkeypatch):
    out = tmp_path / "own.safetensors"
    with pytest.raises(TypeError):
        write_with_entry(out, b"x", {"metrics": {1, 2}}, "generator", None, None)
    assert list(tmp_path.iterdir()) == []


def test_an_index_that_is_held_for_long_names_its_holder(tmp_path, monkeypatch):
    monkeypatch.setattr(export_index, "PATIENCE", 0.2)
    context = multiprocessing.get_context("fork")
    holding, done = context.Event(), context.Event()

    def hold():
        with export_index._held_index(tmp_path / "own.safetensors"):
            holding.set()
            done.wait(60)

    holder = context.Process(target=hold)
    holder.start()
    try:
        assert holding.wait(60)
        with pytest.raises(FileExistsError, match=rf"index\.json is in use by process {holder.pid}"):
            write_with_entry(tmp_path / "own.safetensors", b"x", {}, "generator", None, None)
    finally:
        done.set()
        holder.join(60)
    assert write_with_entry(tmp_path / "own.safetensors", b"x", {}, "generator", None, None)["kind"]


def test_an_export_beside_others_keeps_their_entries(run):
    assert export(run, "first") == 0 == export(run, "second", "--discriminator")
    kinds = {name: entry["kind"] for name, entry in read_export_index(run[1] / "third").items()}
    assert kinds == {"first": "generator", "second": "discriminator"}
    torch.save({}, run[1] / "third.safetensors")
    enter_in_index(run[1] / "third.safetensors", {}, "generator", None, None)
    assert sorted(json.loads((run[1] / "index.json").read_text())) == ["first", "second", "third"]


def test_the_index_that_ships_is_one():
    assert read_export_index(INDEX) == json.loads(INDEX.read_text(encoding="utf-8"))
