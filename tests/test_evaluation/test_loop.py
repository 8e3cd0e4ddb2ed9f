"""The evaluator inside MMEngine's own validation loop, and over two processes."""

import logging
import os
import socket
from types import SimpleNamespace

import pytest
import torch
import torch.multiprocessing as processes
from mmengine.runner import ValLoop
from torch.utils.data import DataLoader

from mmcgan.datasets import ConditionDataset, gan_collate
from mmcgan.registry import EVALUATOR
from mmcgan.structures import Condition
from tests.test_evaluation import stand_ins  # noqa: F401

CONFIG = dict(
    type="GenerationEvaluator",
    metrics=[dict(type="FID"), dict(type="InceptionScore", splits=3), dict(type="ConditionalAccuracy")],
    extractor=dict(type="MeanColour"),
    reference=dict(dataset=dict(type="ColourDataset")),
)
SIZE = 41


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "cache"))


class Painter(torch.nn.Module):
    """A generator of noisy colours: the first latent values are the colour, the label tints it."""

    def val_step(self, data):
        colour = 0.4 * data["latent"][:, :3] + 0.5 * torch.eye(3)[data["label"]]
        image = colour[:, :, None, None].expand(-1, -1, 4, 4).clamp(-1, 1)
        return [dict(image=image, condition=Condition(label=data["label"]))]


def conditions():
    return ConditionDataset(SIZE, latent_dim=3, num_classes=3)


def test_stock_validation_loop():
    runner = SimpleNamespace(
        model=Painter(),
        call_hook=lambda *_, **__: None,
        visualizer=SimpleNamespace(dataset_meta=None),
        logger=logging.getLogger("test"),
    )
    loader = DataLoader(conditions(), batch_size=8, collate_fn=gan_collate)
    evaluator = EVALUATOR.build(CONFIG)
    figures = ValLoop(runner, loader, evaluator).run()
    assert set(figures) == {"fid", "inception_score", "inception_score_std", "conditional_accuracy"}
    assert figures == pytest.approx(evaluate_rows(0, 1), rel=1e-9)
    assert evaluator.report()["conditions"]["seed"] == 0


def evaluate_rows(rank, world_size):
    """Return the figures of one rank's share of the conditions."""
    evaluator = EVALUATOR.build(CONFIG)
    rows = range(rank, SIZE, world_size)
    for start in range(0, len(rows), 8):
        evaluator.process(Painter().val_step(conditions().__getitems__(rows[start : start + 8])))
    return evaluator.evaluate(SIZE)


def worker(rank, port, folder):
    torch.set_num_threads(1)  # a forked process cannot use its parent's threads
    os.environ["MMCGAN_CACHE"] = f"{folder}/two"
    torch.distributed.init_process_group(
        "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2
    )
    torch.save(evaluate_rows(rank, 2), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_equal_one(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # forked: importing everything anew takes longer than the test
    processes.start_processes(worker, (port, str(tmp_path)), nprocs=2, start_method="fork")
    single = evaluate_rows(0, 1)
    for rank in range(2):
        assert torch.load(tmp_path / f"{rank}.pt") == pytest.approx(single, rel=1e-9)
