"""A training starts from a trained model: weights as they were, rows of classes by name, the rest refused."""

import os
import sys
import types

import pytest
import torch
from PIL import Image

from mmcgan.apis.fine_tuning import fit_start, fitted, read_start
from mmcgan.apis.training import train
from mmcgan.checkpoints.files import CheckpointError, load_checkpoint
from mmcgan.cli import main
from mmcgan.config import load_config
from mmcgan.registry import MODELS
from mmcgan.zoo.discriminators import export_discriminator
from mmcgan.zoo.models import export_weights
from tests.test_engine.tiny_run import tiny_config

INR = "omni-inr_biggan_digits-16"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The checkpoint of a run on the ten digits."""
    folder = tmp_path_factory.mktemp("trained")
    train(tiny_config(folder / "run"))
    (newest,) = sorted((folder / "run").glob("iter_6.pth"))
    return newest


def folder_of(root, *classes):
    for number, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for copy in range(8):
            Image.new("RGB", (8, 8), (number * 60, copy * 20, 9)).save(root / name / f"{copy}.png")
    return dict(type="ImageFolder", root=str(root), image_size=8)


def of_three_classes(work_dir, images):
    config = tiny_config(work_dir)
    config.train_dataloader.dataset = images
    config.model.generator.num_classes = 3
    config.model.discriminator.heads.adv.num_classes = 3
    config.model.condition_sampler.num_classes = 3
    config.pop("val_dataloader", None)
    for key in ("val_cfg", "val_dataloader", "val_evaluator"):
        config.pop(key, None)
    return config


def test_rows_follow_names_and_new_classes_start_from_the_mean(trained, tmp_path):
    config = of_three_classes(tmp_path / "run", folder_of(tmp_path / "images", "3", "7", "unheard-of"))
    notes = fit_start(config, trained).write(config, tmp_path / "run")
    assert any("2 of 3 classes" in note and "unheard-of" in note for note in notes)
    before = load_checkpoint(trained)["state_dict"]
    after = load_checkpoint(config.load_from)["state_dict"]
    tables = [name for name, value in after.items() if value.shape != before[name].shape]
    assert any(name.startswith("generator.") for name in tables)
    assert any(name.startswith("discriminator.heads") for name in tables)
    for name in tables:
        source = before[
            name if not name.startswith("generator.") else name.replace("generator.", "generator_ema.", 1)
        ]
        rows = source if source.shape[0] == 10 else source.movedim(1, 0)
        new = after[name] if after[name].shape[0] == 3 else after[name].movedim(1, 0)
        assert torch.equal(new[0], rows[3]) and torch.equal(new[1], rows[7])
        assert torch.allclose(new[2], rows.mean(0))
    result = train(config, start=None)
    assert (result.work_dir / "iter_6.pth").is_file()


def test_everything_but_classes_is_as_it_was_and_training_goes_on_from_the_average(trained, tmp_path):
    config = tiny_config(tmp_path / "run")
    assert fit_start(config, trained).write(config, tmp_path / "run") == []
    before, after = load_checkpoint(trained)["state_dict"], load_checkpoint(config.load_from)["state_dict"]
    for name, value in after.items():
        source = name.replace("generator.", "generator_ema.", 1) if name.startswith("generator.") else name
        assert torch.equal(value, before[source]), name


def test_a_run_is_fine_tuned_by_one_argument_and_resumes_from_itself(trained, tmp_path):
    config = tiny_config(tmp_path / "run")
    train(config, start=trained)
    log = next((tmp_path / "run").rglob("*.log")).read_text()
    assert "loaded weights from" in log and "start/weights.pth" in log
    train(tiny_config(tmp_path / "run", train_cfg=dict(max_iters=8)), resume=True, start=trained)
    logs = "".join(file.read_text() for file in (tmp_path / "run").rglob("*.log"))
    assert "goes on from its own checkpoint" in logs
    assert (tmp_path / "run" / "iter_8.pth").is_file()


def test_a_shipped_model_brings_its_discriminator():
    start = read_start(INR)
    config = load_config(INR)
    model = MODELS.build(config.model)
    weights = fitted(start, model, start.classes)
    own = model.state_dict()
    networks = {name for name in own if name.startswith(("generator.", "generator_ema.", "discriminator."))}
    assert networks <= set(weights) and start.notes == []
    # the generator and its average start alike: exported weights are the average
    assert all(
        torch.equal(weights[name], weights[name.replace("generator.", "generator_ema.", 1)])
        for name in networks
        if name.startswith("generator.")
    )


def test_a_head_of_another_kind_starts_afresh_and_that_is_said(trained):
    config = tiny_config(trained.parent)
    config.model.discriminator.heads = dict(
        adv=dict(type="AdversarialHead"), cls=dict(type="ClassifierHead", num_classes=10)
    )
    model = MODELS.build(config.model)
    start = read_start(trained)
    weights = fitted(start, model, start.classes)
    assert any("discriminator.heads.cls" in note and "afresh" in note for note in start.notes)
    assert not any(name.startswith("discriminator.heads.cls") for name in weights)
    assert any(name.startswith("discriminator.backbone") for name in weights)


def test_another_network_is_refused_with_its_shapes(trained):
    config = tiny_config(trained.parent)
    config.model.generator.base_channels = 8
    with pytest.raises(CheckpointError, match=r"does not fit the generator .* there, .* here"):
        fitted(read_start(trained), MODELS.build(config.model), None)


@pytest.mark.parametrize("nameless", ["source", "data"])
def test_without_names_other_classes_start_from_the_mean_of_all(trained, nameless):
    """As of weights of other codebases: a thousand classes there, three of one's own here."""
    known = read_start(trained).weights
    for number in (10, 3):
        config = tiny_config(trained.parent)
        config.model.generator.num_classes = config.model.discriminator.heads.adv.num_classes = number
        start, names = read_start(trained), [f"my {place}" for place in range(number)]
        if nameless == "source":
            start.classes = None
        made = fitted(start, MODELS.build(config.model), names if nameless == "source" else None)
        of_classes = [name for name, value in made.items() if value.shape != known[name].shape]
        assert len(of_classes) >= (2 if number == 3 else 0) and (number == 3 or not of_classes)
        for name in of_classes:
            there = known[name.replace("generator.", "generator_ema.", 1)]
            axis = 0 if there.shape[0] == 10 else 1
            wanted = there.mean(axis, keepdim=True).expand_as(made[name])
            torch.testing.assert_close(made[name], wanted, rtol=1e-5, atol=1e-6)
        assert len([note for note in start.notes if "mean of all" in note]) == (number != 10)


def test_two_places_to_start_from_are_one_too_many(trained, tmp_path):
    config = tiny_config(tmp_path)
    config.load_from = "other.pth"
    with pytest.raises(ValueError, match="give one"):
        fit_start(config, trained).write(config, tmp_path)


def test_the_same_file_twice_is_one_place(trained, tmp_path):
    """As of the config that ``mmcgan convert`` writes, which names the weights beside it."""
    config = tiny_config(tmp_path / "run")
    config.load_from = os.path.relpath(trained)
    fit_start(config, trained).write(config, tmp_path / "run")
    assert config.load_from == str(tmp_path / "run" / "start" / "weights.pth")


def test_load_from_takes_exported_weights(trained, tmp_path):
    exported = tmp_path / "mine.safetensors"
    export_weights(trained, exported)
    config = tiny_config(tmp_path / "run", load_from=str(exported))
    train(config)
    started = load_checkpoint(tmp_path / "run" / "start" / "weights.pth")["state_dict"]
    average = load_checkpoint(trained)["state_dict"]
    names = [name for name in average if name.startswith("generator_ema.")]
    assert names
    for name in names:
        assert torch.equal(started[name.replace("generator_ema.", "generator.", 1)], average[name]), name


def test_load_from_names_exported_weights_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.safetensors"):
        train(tiny_config(tmp_path / "run", load_from=str(tmp_path / "none.safetensors")))


def frozen_of(config):
    """Return the names of the discriminator's parameters that no optimiser trains."""
    network = MODELS.build(config.model).discriminator
    return [f"discriminator.{name}" for name, value in network.named_parameters() if not value.requires_grad]


def test_frozen_stages_of_a_shipped_model_stay_as_they_were(tmp_path):
    few = {"train_cfg.max_iters": 2, "train_cfg.val_interval": 100, "log_level": "ERROR"}
    options = {**few, "model.discriminator.freeze_stages": 1}
    train(INR, tmp_path, options=options, start=INR)
    start = load_checkpoint(tmp_path / "start" / "weights.pth")["state_dict"]
    after = load_checkpoint(tmp_path / "iter_2.pth")["state_dict"]
    frozen = frozen_of(load_config(INR, options))
    assert frozen
    for name in frozen:
        assert torch.equal(start[name], after[name]), name
    moved = [
        name
        for name in start
        if name.startswith("discriminator.") and name.endswith("weight") and name not in frozen
    ]
    assert moved and any(not torch.equal(start[name], after[name]) for name in moved)


def test_stages_of_a_discriminator_that_starts_afresh_are_not_frozen(tmp_path):
    options = {"model.discriminator.freeze_stages": 1}
    with pytest.raises(ValueError, match=r"--freeze-d 1 .* would keep noise: biggan_digits-16 brings no"):
        train("biggan_digits-16", tmp_path / "run", options=options, start="biggan_digits-16")
    assert not (tmp_path / "run" / "start").exists()


def test_exported_weights_bring_the_discriminator_beside_them(trained, tmp_path):
    export_weights(trained, tmp_path / "mine.safetensors")
    export_discriminator(trained, tmp_path / "mine-discriminator.safetensors")
    config = tiny_config(tmp_path / "run")
    config.model.discriminator.freeze_stages = 1
    assert fit_start(config, tmp_path / "mine.safetensors").write(config, tmp_path / "run") == []
    before, after = load_checkpoint(trained)["state_dict"], load_checkpoint(config.load_from)["state_dict"]
    names = [name for name in before if name.startswith("discriminator.backbone.")]
    assert names and all(torch.equal(before[name], after[name]) for name in names)


def test_an_address_of_the_hub_is_a_start_too(trained, tmp_path, monkeypatch):
    export_weights(trained, tmp_path / "pets.safetensors")
    hub = types.ModuleType("huggingface_hub")
    hub.hf_hub_download = lambda repo_id, filename, **settings: str(tmp_path / "pets.safetensors")
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "cache"))
    config = of_three_classes(tmp_path / "run", folder_of(tmp_path / "images", "3", "7", "unheard-of"))
    notes = fit_start(config, "hf://someone/pets").write(config, tmp_path / "run")
    assert any("2 of 3 classes" in note for note in notes)
    assert any("discriminator" in note and "afresh" in note for note in notes)


def test_a_converted_model_is_a_start_with_both_networks(tmp_path):
    from mmcgan.peers.reading.convert import inspect_checkpoint, write
    from tests.test_peers.networks import discriminator_state, generator_state

    (tmp_path / "theirs").mkdir()
    torch.save(generator_state(), tmp_path / "theirs" / "G_ema.pth")
    torch.save(discriminator_state(), tmp_path / "theirs" / "D.pth")
    write(inspect_checkpoint(tmp_path / "theirs"), tmp_path / "biggan.safetensors")
    for name, whole in (("biggan.pth", True), ("biggan.safetensors", False)):
        start = read_start(tmp_path / name)
        assert any(key.startswith("generator.") for key in start.weights)
        assert any(key.startswith("discriminator.") for key in start.weights) == whole, name


@pytest.mark.parametrize("name", ["bad.pth", "bad.safetensors"])
@pytest.mark.parametrize("asked", [["--from"], ["--cfg-options"]])
def test_a_file_that_cannot_start_a_run_leaves_no_folder(tmp_path, capsys, name, asked):
    (tmp_path / name).write_bytes(b"garbage")
    what = str(tmp_path / name) if asked == ["--from"] else f"load_from={tmp_path / name}"
    run = tmp_path / "run"
    assert main(["train", "omnigan_biggan_digits-16", "--work-dir", str(run), *asked, what]) == 2
    assert name in capsys.readouterr().err and not run.exists()
    assert main(["test", "omnigan_biggan_digits-16", str(tmp_path / name), "--work-dir", str(run)]) == 2
    assert name in capsys.readouterr().err and not run.exists()
