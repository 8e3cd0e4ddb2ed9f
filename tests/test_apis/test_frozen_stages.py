"""Stages that stay as they are (FreezeD) come from somewhere, whatever a run starts from."""

import pytest
import torch

from mmcgan.apis.training import train
from mmcgan.checkpoints.files import load_checkpoint, save_checkpoint
from mmcgan.cli import main
from tests.test_engine.tiny_run import tiny_config


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The checkpoint of a run."""
    folder = tmp_path_factory.mktemp("trained")
    train(tiny_config(folder / "run"))
    return folder / "run" / "iter_6.pth"


def frozen(folder, **settings):
    config = tiny_config(folder)
    config.model.discriminator.freeze_stages = 1
    config.update(settings)
    return config


def without_discriminator(checkpoint, file):
    state = load_checkpoint(checkpoint)
    weights = {key: value for key, value in state["state_dict"].items() if key.startswith("generator")}
    save_checkpoint({"state_dict": weights, "meta": {}}, file)
    return file


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_from_nothing_is_refused_before_its_folder_is_made(resume, tmp_path):
    with pytest.raises(ValueError, match=r"--freeze-d 1 .* would keep noise: neither --from nor load_from"):
        train(frozen(tmp_path / "run"), resume=resume)
    assert list(tmp_path.iterdir()) == []


def test_the_command_refuses_it_too(tmp_path, capsys):
    arguments = ["train", "omnigan_biggan_digits-16", "--freeze-d", "2", "--work-dir", str(tmp_path / "run")]
    assert main(arguments) == 2
    assert "--freeze-d 2 (model.discriminator.freeze_stages) would keep noise" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_load_from_must_hold_a_discriminator(trained, tmp_path):
    file = without_discriminator(trained, tmp_path / "generator.pth")
    with pytest.raises(
        ValueError, match=r"would keep noise: load_from=.*generator.pth holds no discriminator"
    ):
        train(frozen(tmp_path / "run", load_from=str(file)))
    assert not (tmp_path / "run").exists()


def test_stages_of_load_from_stay_as_they_were_and_the_run_goes_on_from_itself(trained, tmp_path):
    train(frozen(tmp_path / "run", load_from=str(trained)))
    before, after = (
        load_checkpoint(file)["state_dict"] for file in (trained, tmp_path / "run" / "iter_6.pth")
    )
    backbone = [name for name in before if name.startswith("discriminator.backbone.")]
    kept = [name for name in backbone if torch.equal(before[name], after[name])]
    assert kept and len(kept) < len(backbone)
    config = frozen(tmp_path / "run")
    config.train_cfg.max_iters = 8
    train(config, resume=True, allow_changes=True)
    last = load_checkpoint(sorted((tmp_path / "run").glob("iter_8.pth"))[0])["state_dict"]
    assert all(torch.equal(before[name], last[name]) for name in kept if name.endswith("weight"))


def test_without_frozen_stages_nothing_is_asked_for(tmp_path):
    config = tiny_config(tmp_path / "run")
    config.model.discriminator.freeze_stages = 0
    assert train(config).work_dir == tmp_path / "run"
