"""What a schedule says is what the optimiser has, also after the optimiser has loaded a state."""

from __future__ import annotations

import pytest
from mmengine.hooks import Hook

from mmcgan.hooks.schedule import OPTIMIZER_FIELDS
from mmcgan.registry import HOOKS
from tests.test_engine.tiny_run import train
from tests.test_hooks import test_collapse_guard as guards

SGD = {"optim_wrapper.generator": dict(_delete_=True, optimizer=dict(type="SGD", lr=1e-3, momentum=0.5))}


@HOOKS.register_module(force=True)
class ReadSettings(Hook):
    """Notes what a schedule says and what the optimiser's groups have when it steps."""

    priority = "LOWEST"

    def __init__(self, path):
        self.path, self.seen = path, []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        _, player, field = self.path.split(".")
        said = runner.message_hub.get_scalar(f"train/{self.path}").current()
        groups = runner.optim_wrapper[player].optimizer.param_groups
        betas = {"beta1": 0, "beta2": 1}
        has = [g["betas"][betas[field]] if field in betas else g[field] for g in groups]
        self.seen.append((said, has))


@pytest.mark.parametrize("field", OPTIMIZER_FIELDS)
def test_a_roll_back_does_not_part_a_schedule_from_its_optimiser(field, tmp_path):
    path = f"optimizer.generator.{field}"
    change = dict(set=dict(discriminator=dict(weight_decay=1e-4)))
    hooks = [
        dict(type="ScheduleHook", values={path: dict(kind="linear", start=0.5, end=0.0, until=8)}),
        guards.guard(action="roll_back", limits=guards.LIMITS, roll_back=change, **guards.METRIC_ALONE),
        dict(type="ReadSettings", path=path),
    ]
    settings = {
        **guards.scripted(4.0, 3.0, 9.0, 3.5, 2.5),
        **(SGD if field == "momentum" else {}),
        "train_cfg.max_iters": 5,
        "default_hooks.checkpoint.save_best": "fid",
        "optim_wrapper.discriminator.optimizer.lr": 1e-4,
    }
    runner = train(tmp_path, custom_hooks=hooks, **settings)
    assert [event["iteration"] for event in guards.events(tmp_path)] == [3]
    (reader,) = [hook for hook in runner.hooks if isinstance(hook, ReadSettings)]
    assert [said for said, _ in reader.seen] == pytest.approx([0.5 * (8 - i) / 8 for i in range(5)])
    for said, has in reader.seen:
        assert has == [pytest.approx(said)] * len(has)
