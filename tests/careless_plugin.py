"""A plugin that draws from every global generator, which a run must bear."""

import random

import numpy as np
import torch
from mmengine.hooks import Hook

from mmcgan.registry import HOOKS


@HOOKS.register_module(force=True)
class CarelessPlugin(Hook):
    """Draws from every global generator and lets it decide the weights."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        draw = random.random() + np.random.rand() + torch.rand(()).item()
        with torch.no_grad():
            next(runner.model.generator.parameters()).add_(1e-3 * draw)
