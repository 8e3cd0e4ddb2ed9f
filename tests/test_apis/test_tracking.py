"""A run is shown in each dashboard that is installed: its figures, its pictures and its config."""

import importlib.util
import json
import struct
import sys
import time
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import pytest
from PIL import Image

from mmcgan.apis.tracking import TRACKERS, add_trackers
from mmcgan.apis.training import train
from tests.test_engine.tiny_run import EVALUATION, tiny_config

GRID = dict(
    sample_grid=dict(type="SampleGridHook", interval=3),
    logger=dict(type="LoggerHook", interval=1, log_metric_by_epoch=False),
)
#: a loss, a figure of the evaluation and a setting, in each of them
LOSS, FIGURE, SETTING, VALUE = "d_adversarial_real", "level_error", "model.generator.base_channels", "4"


def tracked(folder, name):
    config = tiny_config(folder, default_hooks=GRID, **EVALUATION)
    train(config, track=[name])
    return folder


def test_tensorboard_has_figures_pictures_and_the_config(tmp_path):
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (events,) = {file.parent for file in tracked(tmp_path, "tensorboard").rglob("events.out.*")}
    found = EventAccumulator(str(events))
    found.Reload()
    assert {LOSS, FIGURE} <= set(found.Tags()["scalars"])
    assert [event.step for event in found.Images("samples")] == [3, 6]
    (text,) = found.Tensors("config/text_summary")
    assert "base_channels=4" in text.tensor_proto.string_val[0].decode()


def wandb_records(path):
    """Yield the records of an offline run: LevelDB's log, blocks of 32 KiB, behind a header of 7 bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, place, parts = path.read_bytes(), 7, b""
    while place + 7 <= len(content):
        if (left := 32768 - place % 32768) < 7:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", content[place : place + 7])
        parts += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            record, parts = Record.FromString(parts), b""
            yield record


def finished_records(path):
    """Return them once the run's last one is there: its own process writes it, a moment after our end."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        found = list(wandb_records(path))
        if any(record.WhichOneof("record_type") == "exit" for record in found):
            return found
        time.sleep(0.1)
    raise AssertionError("the run was not finished")


def test_wandb_has_figures_pictures_and_the_config_without_a_network(tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="the extra wandb is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "private.py").write_text("secret = 1")
    folder = tracked(tmp_path / "run", "wandb")
    (path,) = folder.rglob("run-*.wandb")
    records = finished_records(path)
    figures, settings = {}, {}
    for record in records:
        for item in record.history.item:
            figures.setdefault(item.key or ".".join(item.nested_key), []).append(json.loads(item.value_json))
        for item in [*record.config.update, *record.run.config.update]:
            settings[item.key or ".".join(item.nested_key)] = json.loads(item.value_json)
    assert len(figures[LOSS]) == 6 and len(figures[FIGURE]) == 2
    assert all(isinstance(value, float) for value in figures[LOSS])
    assert settings["model"]["generator"]["base_channels"] == int(VALUE)
    pictures = [*folder.rglob("media/images/samples_*.png")]
    assert len(pictures) == 2 and all(Image.open(picture).size[0] > 50 for picture in pictures)
    assert sorted(figures["samples.path"]) == sorted(f"media/images/{one.name}" for one in pictures)
    assert b"private.py" not in path.read_bytes() and not [*folder.rglob("private.py")]


def test_mlflow_has_figures_pictures_and_the_config_without_a_server(tmp_path):
    pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    folder = tracked(tmp_path, "mlflow")
    (settings,) = folder.rglob(f"params/{SETTING}")
    assert settings.read_text() == VALUE
    for name in (LOSS, FIGURE):
        (values,) = folder.rglob(f"metrics/{name}")
        assert all(len(line.split()) == 3 for line in values.read_text().splitlines())
    kept = sorted(file.name for file in folder.rglob("artifacts/**/*") if file.is_file())
    assert kept[1:] == ["config.py", "samples_0000003.png", "samples_0000006.png"] and kept[0].endswith(
        ".log"
    )


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


@pytest.mark.parametrize(
    ("mode", "key", "terminal", "refused"),
    [
        ("online", False, False, True),
        ("online", True, False, False),
        ("online", False, True, False),
        ("offline", False, False, False),
        ("disabled", False, False, False),
    ],
)
def test_wandb_is_refused_before_work_where_nobody_is_logged_in(
    tmp_path, monkeypatch, mode, key, terminal, refused
):
    """A stand-in answers as the library does; the real one would ask the network."""
    settings = SimpleNamespace(settings=SimpleNamespace(mode=mode))
    stand_in = ModuleType("wandb")
    stand_in.setup, stand_in.login = lambda: settings, lambda prompt, verify: key
    stand_in.__spec__ = ModuleSpec("wandb", None)
    monkeypatch.setitem(sys.modules, "wandb", stand_in)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: terminal))
    config = tiny_config(tmp_path / "run")
    if refused:
        with pytest.raises(ValueError, match=r"nobody is logged in.*WANDB_MODE=offline"):
            train(config, track=["wandb"])
        assert not (tmp_path / "run").exists()
    else:
        add_trackers(config, ["wandb"])
