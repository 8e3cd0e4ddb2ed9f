"""A training that takes days says so at its start, and what would fit."""

from mmcgan.hooks import throughput
from tests.test_engine.tiny_run import train


def logs(folder):
    return "".join(file.read_text() for file in folder.rglob("*.log"))


def test_what_fits_is_said_once_at_the_start(tmp_path, monkeypatch):
    monkeypatch.setattr(throughput, "LONG", 1e-4)
    monkeypatch.setattr(throughput, "JUDGED_AFTER", 2)
    train(tmp_path, default_hooks=dict(timer=dict(type="ThroughputHook")))
    said = logs(tmp_path)
    assert said.count("Into a day fit") == 1
    assert "train_cfg.max_iters=" in said and "mmcgan new" in said


def test_a_training_of_less_than_a_day_says_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(throughput, "JUDGED_AFTER", 2)
    train(tmp_path, default_hooks=dict(timer=dict(type="ThroughputHook")))
    assert "Into a day fit" not in logs(tmp_path)
