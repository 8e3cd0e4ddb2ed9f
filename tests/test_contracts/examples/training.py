"""Settings of hooks, optimisers, orders of reading and transforms."""

HOOKS = {
    "DiscriminatorDiagnosticsHook": dict(interval=1, size=4),
    "CollapseGuardHook": dict(interval=1, begin=0),
    "ScheduleHook": dict(
        values={"optimizer.generator.lr": dict(kind="linear", start=1e-3, end=1e-4, until=4)}
    ),
    "WeightDecayScheduleHook": dict(generator=dict(kind="linear", start=0.1, end=0.2)),
    "EarlyStopHook": dict(monitor="fid"),
    "SampleGridHook": dict(interval=1, rows=1, columns=2),
    "GANCheckpointHook": dict(save_best="fid"),
}
#: hooks that watch a figure of the evaluation
WATCHING = ("EarlyStopHook", "GANCheckpointHook", "CollapseGuardHook")
OPTIMIZERS = {"AdamS": dict(lr=0.01, weight_decay=0.1)}
TRANSFORMS = {
    "CenterCrop": dict(crop_size=8),
    "Compose": dict(transforms=[dict(type="RandomFlip", prob=0.5)]),
    "RandomApply": dict(transforms=[dict(type="RandomFlip", prob=1.0)]),
    "RandomChoice": dict(
        transforms=[
            [dict(type="RandomGrayscale", prob=1.0, keep_channels=True)],
            [dict(type="RandomFlip", prob=1.0)],
        ]
    ),
    "RandomResize": dict(scale=(16, 16), ratio_range=(0.5, 1.0)),
    "RandomChoiceResize": dict(scales=[(8, 8), (16, 16)]),
}
