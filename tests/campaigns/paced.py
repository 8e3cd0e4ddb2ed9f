"""What runs of the campaign have in addition: they say what they are doing, and take their time over it.

Imported by the runs (``custom_imports``); only with :data:`PHASE_FILE` set do they say anything.
"""

import os
import time

from mmengine.hooks import Hook

from mmcgan.registry import HOOKS
from tests.careless_plugin import CarelessPlugin as CarelessPlugin  # registers it
from tests.test_engine import tiny_run as tiny_run  # registers its metric

PHASE_FILE = "MMCGAN_CAMPAIGN_PHASE"
PAUSE_SECONDS = 0.02


@HOOKS.register_module(force=True)
class PhaseHook(Hook):
    """Writes what the run is about to do and at which iteration, then pauses."""

    priority = "VERY_HIGH"

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        _say("iteration", batch_idx + 1)

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        _say("evaluation", runner.iter)

    def after_iteration(self, runner):
        _say("sample grid", runner.iter, pause=0)

    def before_save_checkpoint(self, runner, checkpoint):
        _say("saving", runner.iter, pause=0)

    def after_train(self, runner):
        _say("end", runner.iter, pause=0)


def _say(phase, iteration, pause=PAUSE_SECONDS):
    path = os.environ.get(PHASE_FILE)
    if path is None or os.environ.get("RANK", "0") != "0":
        return
    with open(f"{path}.new", "w") as file:
        file.write(f"{phase}\n{iteration}\n{os.getpid()}\n")
    os.replace(f"{path}.new", path)
    time.sleep(pause)
