"""A run is shown in each dashboard that is installed: its figures, its pictures and its config."""

import importlib.util

import pytest

from mmcgan.apis.tracking import TRACKERS, add_trackers
from mmcgan.apis.training import train
from tests.test_engine.tiny_run import tiny_config

GRID = dict(
    sample_grid=dict(type="SampleGridHook", interval=3),
    logger=dict(type="LoggerHook", interval=1, log_metric_by_epoch=False),
)


def tracked(folder, name):
    config = tiny_config(folder, default_hooks=GRID)
    train(config, track=[name])
    return folder


def test_tensorboard_has_figures_and_pictures(tmp_path):
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (events,) = {file.parent for file in tracked(tmp_path, "tensorboard").rglob("events.out.*")}
    found = EventAccumulator(str(events))
    found.Reload()
    tags = found.Tags()
    assert any("adversarial" in tag for tag in tags["scalars"]) and "samples" in tags["images"]


def test_wandb_has_figures_without_a_network(tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="the extra wandb is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    files = [*tracked(tmp_path, "wandb").rglob("run-*.wandb")]
    assert files and files[0].stat().st_size > 1000


def test_mlflow_has_figures_without_a_server(tmp_path):
    pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    folder = tracked(tmp_path, "mlflow")
    assert [*folder.rglob("samples_*.png")] and [*folder.rglob("metrics/*")] and [*folder.rglob("params/*")]


def test_an_unknown_tracker_suggests_one(tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'tensorboard'"):
        add_trackers(tiny_config(tmp_path), ["tensorbord"])


@pytest.mark.parametrize("name", TRACKERS)
def test_what_is_not_installed_is_named_before_the_run(name, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    with pytest.raises(ImportError, match=rf"mmcgan\[{name}\]"):
        train(tiny_config(tmp_path / "run"), track=[name])
    assert not (tmp_path / "run").exists()


def test_a_tracker_is_added_once_and_beside_what_is_there(tmp_path):
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    config = tiny_config(tmp_path)
    add_trackers(config, ["tensorboard", "tensorboard"])
    before = list(config.visualizer["vis_backends"])
    add_trackers(config, ["tensorboard"])
    assert before == config.visualizer["vis_backends"]
    kinds = [backend["type"] for backend in config.visualizer["vis_backends"]]
    assert kinds == ["LocalVisBackend", "TensorboardVisBackend"]
