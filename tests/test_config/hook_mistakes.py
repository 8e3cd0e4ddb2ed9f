"""Mistakes that people make in the hooks of configs, as (place, value); of the kind in ``mistakes``."""

from __future__ import annotations

from typing import Any

HOOKS = "default_hooks"

HOOKED: list[tuple[str, Any]] = [
    (HOOKS, []),
    (f"{HOOKS}.checkpoint", "GANCheckpointHook"),
    (f"{HOOKS}.checkpoint.interval", 0),
    (f"{HOOKS}.checkpoint.interval", "often"),
    (f"{HOOKS}.checkpoint.interval", True),
    (f"{HOOKS}.checkpoint.max_keep", 0),
    (f"{HOOKS}.checkpoint.max_keep", -1),
    (f"{HOOKS}.checkpoint.save_best", "best"),
    (f"{HOOKS}.checkpoint.save_best", 3),
    (f"{HOOKS}.checkpoint.save_best", True),
    (f"{HOOKS}.checkpoint.save_best", []),
    (f"{HOOKS}.generator_ema.decay", 1.5),
    (f"{HOOKS}.generator_ema.decay", -0.1),
    (f"{HOOKS}.generator_ema.decay", "slow"),
    (f"{HOOKS}.generator_ema.decay", True),
    (f"{HOOKS}.generator_ema.start", -1),
    (f"{HOOKS}.generator_ema.half_life_images", -5),
    (f"{HOOKS}.logger.interval", 0),
    (f"{HOOKS}.logger.interval", None),
    (f"{HOOKS}.logger.log_metric_by_epoch", "no"),
    (f"{HOOKS}.sample_grid.interval", 0),
    (f"{HOOKS}.sample_grid.rows", 0),
    (f"{HOOKS}.sample_grid.rows", -2),
    (f"{HOOKS}.sample_grid.columns", "ten"),
    (f"{HOOKS}.sample_grid.labels", [10]),
    (f"{HOOKS}.sample_grid.labels", [-1]),
    (f"{HOOKS}.sample_grid.labels", "zero"),
    (f"{HOOKS}.sample_grid.labels", ["zero"]),
    (f"{HOOKS}.sample_grid.labels", [1.5]),
    (f"{HOOKS}.sample_grid.labels", [True]),
    (f"{HOOKS}.sample_grid.truncation", -1.0),
    (f"{HOOKS}.sample_grid.truncation", "some"),
    (f"{HOOKS}.timer", 3),
    (f"{HOOKS}.new", dict(type="NobodysHook")),
    (f"{HOOKS}.new", dict(interval=5)),
    (f"{HOOKS}.second", dict(type="GANCheckpointHook", interval=200)),
    (f"{HOOKS}.second", dict(type="GeneratorEMAHook", decay=0.9)),
    (f"{HOOKS}.second", dict(type="SampleGridHook", interval=200)),
    (f"{HOOKS}.checkpoint.priority", "URGENT"),
    (f"{HOOKS}.checkpoint.priority", 500),
    ("custom_hooks", "EarlyStopHook"),
    ("custom_hooks", dict(type="FiniteGuardHook")),
    ("custom_hooks", [None]),
    ("custom_hooks", [[]]),
    ("custom_hooks", [{}]),
    ("custom_hooks", [dict(type="EarlyStopHook", metric="fid", patience=0)]),
    ("custom_hooks", [dict(type="EarlyStopHook", metric="nothing", patience=1)]),
    ("custom_hooks", [dict(type="EarlyStopHook", metric=3, patience=1)]),
    ("custom_hooks", [dict(type="ScheduleHook", values={})]),
    ("custom_hooks", [dict(type="ScheduleHook", values=[])]),
    ("custom_hooks", [dict(type="ScheduleHook", values={"optimizer.generator.lr": 0.1})]),
    (
        "custom_hooks",
        [dict(type="ScheduleHook", values={"optimizer.nobody.lr": dict(kind="constant", value=1)})],
    ),
    ("custom_hooks", [dict(type="ScheduleHook", values={"nothing.p": dict(kind="constant", value=1)})]),
    (
        "custom_hooks",
        [
            dict(
                type="ScheduleHook",
                values={"optimizer.generator.lr": dict(kind="linear", start=1e-3, end=0.0, begin=9, until=5)},
            )
        ],
    ),
    (
        "custom_hooks",
        [dict(type="ScheduleHook", values={"regularizers.r1.weight": dict(kind="constant", value=-1)})],
    ),
    ("custom_hooks", [dict(type="ScheduleHook", unit="epochs", values={})]),
]
