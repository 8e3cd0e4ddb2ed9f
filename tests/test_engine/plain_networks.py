"""A generator without batch norm, for which two processes can equal one."""

from __future__ import annotations

import os
import pathlib
import signal
import time

import torch
from mmengine.hooks import Hook
from torch import nn

from mmcgan.models.generators.base import Generator
from mmcgan.registry import GENERATORS, HOOKS


@GENERATORS.register_module(force=True)
class PlainGenerator(Generator):
    """One linear layer and one table of class embeddings."""

    requires = ("label",)

    def __init__(self, image_size: int = 8, num_classes: int = 10, latent_dim: int = 8) -> None:
        super().__init__()
        self.image_size, self.num_classes, self.latent_dim = image_size, num_classes, latent_dim
        self.table = nn.Embedding(num_classes, latent_dim)
        self.linear = nn.Linear(latent_dim, 3 * image_size**2)

    def embed(self, condition):
        return self.table(condition.label)

    def synthesize(self, latent, embedding):
        flat = torch.tanh(self.linear(latent * embedding))
        return flat.unflatten(1, (3, self.image_size, self.image_size))

    def forward(self, latent, condition):
        return self.synthesize(latent, self.embed(condition))


@GENERATORS.register_module(force=True)
class ScaledGenerator(PlainGenerator):
    """The same with a parameter that is a scalar, as attention and noise have."""

    def __init__(self, image_size: int = 8, num_classes: int = 10, latent_dim: int = 8) -> None:
        super().__init__(image_size, num_classes, latent_dim)
        self.gain = nn.Parameter(torch.ones(()))

    def synthesize(self, latent, embedding):
        return self.gain * super().synthesize(latent, embedding)


@HOOKS.register_module(force=True)
class Witness(Hook):
    """Notes what each rank saw."""

    def after_train(self, runner):
        own = runner.model.draw(4)[0]
        torch.save(
            {"latent": own, "weights": runner.model.state_dict()},
            f"{runner.work_dir}/witness_{runner.rank}.pt",
        )


@HOOKS.register_module(force=True)
class DieAt(Hook):
    """Kills rank 1 without a word."""

    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.rank == 1 and batch_idx == self.iteration:
            os.kill(os.getpid(), signal.SIGKILL)


@HOOKS.register_module(force=True)
class HoldAt(Hook):
    """Says that an iteration is done and waits for a file, where ``MMCGAN_TEST_HOLD`` names a folder."""

    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        folder = os.environ.get("MMCGAN_TEST_HOLD")
        if folder is None or runner.iter != self.iteration:
            return
        pathlib.Path(folder, f"held-{runner.rank}").touch()
        for _ in range(6000):
            if pathlib.Path(folder, "go").exists():
                return
            time.sleep(0.05)
