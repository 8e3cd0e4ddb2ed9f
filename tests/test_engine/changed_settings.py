"""Settings of every kind that somebody may change before a run goes on, and what has to come of each.

``taken``: the run ends in the very weights of one that was never touched. ``refused``: the difference is
listed with old and new; allowed, it is applied, and what is learnt from there on is other. ``broken``:
refused, and what was learnt fits no more, so that allowing it is an error that says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from mmengine.hooks import Hook

from mmcgan.registry import HOOKS

from .tiny_run import ADAM, EVALUATION, train

TAKEN, REFUSED, BROKEN = "taken", "refused", "broken"
STOPPED, LAST = 3, 6
GONE = object()
EASE = dict(type="LinearLR", start_factor=1.0, end_factor=0.5, end=10, by_epoch=False)
CLASSES = dict(
    type="CrossEntropyLoss",
    inputs=dict(logits="cls.logits", label="cond.label"),
    weights=dict(real=0.5, generated=0.5),
)
ADA = dict(type="ADA", transforms=["bgc"], adapt=dict(target=-0.9, interval=1, kimg=0.5))
DATA = dict(type="DigitsDataset", split="train", image_size=8)
#: a run that has one of everything
RICH: dict[str, Any] = {
    "train_dataloader.batch_size": 16,
    "model.step": dict(n_critic=2),
    "model.data_preprocessor": dict(type="GANDataPreprocessor", flip_probability=0.5),
    "model.losses.classes": CLASSES,
    "model.discriminator.heads.cls": dict(type="ClassifierHead", num_classes=10),
    "model.regularizers": dict(r1=dict(type="R1", weight=0.1, interval=2)),
    "model.augment": ADA,
    "optim_wrapper.generator.clip_grad": dict(max_norm=0.01),
    "optim_wrapper.precision": "float32",
    "param_scheduler": dict(generator=[EASE]),
    "train_cfg.max_iters": LAST,
    "log_level": "WARNING",
    **EVALUATION,
}


class Case(NamedTuple):
    """A change of settings: dotted path -> value, or ``GONE``; what has to come of it; what is named."""

    verdict: str
    changes: dict[str, Any]
    named: str = ""


@HOOKS.register_module(force=True)
class WatchingHook(Hook):
    """A plugin's, which says that it only watches."""

    changes_training = False


def one(verdict: str, path: str, value: Any, named: str = "") -> Case:
    """Return a case of one setting."""
    return Case(verdict, {path: value}, named or path)


def adam(**changes: Any) -> dict[str, Any]:
    """Return the settings of the optimiser with changes."""
    return {**ADAM, "_delete_": True, **changes}


_G, _D, _DATA = "optim_wrapper.generator", "optim_wrapper.discriminator", "train_dataloader.dataset"
_EMA, _BACKBONE = "default_hooks.generator_ema", "model.discriminator.backbone"
CASES: dict[str, Case] = {
    # the data
    "batch size": one(REFUSED, "train_dataloader.batch_size", 32),
    "split": one(REFUSED, f"{_DATA}.split", "test"),
    "another set": one(
        REFUSED,
        _DATA,
        dict(type="ClassSubset", dataset=DATA, keep=list(range(10)), _delete_=True),
        f"{_DATA}.type",
    ),
    "image size": one(REFUSED, f"{_DATA}.image_size", 16),
    "a pipeline": one(
        REFUSED, f"{_DATA}.pipeline", [dict(type="RandomFlip", prob=0.9)], f"{_DATA}.pipeline.0"
    ),
    "flips": one(REFUSED, "model.data_preprocessor.flip_probability", 0.0),
    "order": one(REFUSED, "train_dataloader.sampler.seed", 4),
    "another order": one(
        REFUSED, "train_dataloader.sampler", dict(type="ClassBalancedDraws"), "train_dataloader.sampler.type"
    ),
    "last batch": one(REFUSED, "train_dataloader.drop_last", True),
    "workers": one(TAKEN, "train_dataloader.num_workers", 2),
    "prefetch": Case(TAKEN, {"train_dataloader.num_workers": 1, "train_dataloader.prefetch_factor": 4}),
    "persistent workers": Case(
        TAKEN, {"train_dataloader.num_workers": 1, "train_dataloader.persistent_workers": True}
    ),
    "start of workers": Case(
        TAKEN, {"train_dataloader.num_workers": 1, "train_dataloader.multiprocessing_context": "spawn"}
    ),
    "pinned memory": one(TAKEN, "train_dataloader.pin_memory", False),
    # the step
    "critic": one(REFUSED, "model.step.n_critic", 1),
    "accumulation": one(REFUSED, "model.step.d_accumulation", 2),
    "accumulation of G": one(REFUSED, "model.step.g_accumulation", 2),
    "batch of G": one(REFUSED, "model.step.generator_batch_size", 4),
    "passes": one(REFUSED, "model.step.split_d", False),
    "generator first": one(REFUSED, "model.step.generator_first", True),
    "a default of the step": one(TAKEN, "model.step.d_accumulation", 1),
    "float for int": one(TAKEN, "train_cfg.val_interval", 3.0),
    "int for float": one(TAKEN, "model.losses.classes.weights", dict(generated=0.5, real=0.5)),
    # losses, heads, regularizers
    "adversarial loss": one(
        REFUSED, "model.losses.adversarial.type", "NonSaturatingLoss", "HingeLoss' -> 'NonSaturatingLoss'"
    ),
    "weight of a loss": one(
        REFUSED, "model.losses.adversarial.weights", 2.0, "weights: 1.0 (by default) -> 2.0"
    ),
    "weight of a view": one(REFUSED, "model.losses.classes.weights.real", 0.1),
    "a loss more": one(
        REFUSED, "model.losses.lecam", dict(type="LeCamLoss", weights=0.3), "model.losses.lecam.type"
    ),
    "a loss less": one(REFUSED, "model.losses.classes", GONE, "model.losses.classes.type"),
    "default weight": one(TAKEN, "model.losses.adversarial.weights", 1.0),
    "default inputs": one(TAKEN, "model.losses.adversarial.inputs", dict(logit="adv.logit")),
    "norm of a head": one(REFUSED, "model.discriminator.heads.cls.spectral_norm", False),
    "lengths of a head": one(REFUSED, "model.discriminator.heads.cls.normalize", True),
    "a head more": one(
        REFUSED,
        "model.discriminator.heads.more",
        dict(type="ClassifierHead", num_classes=10),
        "model.discriminator.heads.more.type",
    ),
    "interval of a penalty": one(REFUSED, "model.regularizers.r1.interval", 1),
    "weight of a penalty": one(REFUSED, "model.regularizers.r1.weight", 5.0),
    "a penalty less": one(REFUSED, "model.regularizers", GONE, "model.regularizers.r1.type"),
    "a penalty more": one(
        REFUSED,
        "model.regularizers.ortho",
        dict(type="OrthogonalRegularizer", weight=0.01),
        "model.regularizers.ortho.type",
    ),
    "a penalty with memory": one(
        REFUSED,
        "model.regularizers.clip",
        dict(type="WeightClipping", bound=0.02),
        "model.regularizers.clip.type",
    ),
    # augmentation
    "target": one(REFUSED, "model.augment.adapt.target", 0.9),
    "speed": one(REFUSED, "model.augment.adapt.kimg", 50.0),
    "interval of p": one(REFUSED, "model.augment.adapt.interval", 2),
    "transforms": one(REFUSED, "model.augment.transforms", ["bg"]),
    "fixed p": one(REFUSED, "model.augment", dict(type="ADA", transforms=["bgc"], p=0.9), "augment.p"),
    "another augmentation": one(REFUSED, "model.augment", dict(type="DiffAugment"), "model.augment.type"),
    "no augmentation": one(REFUSED, "model.augment", GONE, "model.augment.type"),
    # conditions and latents
    "labels": one(REFUSED, "model.condition_sampler.type", "BalancedLabel"),
    "labels of the images": one(
        REFUSED,
        "model.condition_sampler",
        dict(type="RealCondition", _delete_=True),
        "condition_sampler.type",
    ),
    "law": one(REFUSED, "model.latent_sampler", dict(type="UniformLatent"), "model.latent_sampler.type"),
    "narrow law": one(
        REFUSED,
        "model.latent_sampler",
        dict(type="TruncatedNormalLatent", threshold=0.5),
        "latent_sampler.type",
    ),
    "default law": one(TAKEN, "model.latent_sampler", dict(type="NormalLatent")),
    "default law in full": one(TAKEN, "model.latent_sampler", dict(type="NormalLatent", latent_dim=8)),
    "dimensions": one(BROKEN, "model.generator.latent_dim", 9),
    # networks
    "width": one(BROKEN, "model.generator.base_channels", 8),
    "activation": one(REFUSED, f"{_BACKBONE}.activation_name", "gelu"),
    "spectral norm": one(REFUSED, f"{_BACKBONE}.spectral_norm", False),
    "default spectral norm left out": one(TAKEN, f"{_BACKBONE}.spectral_norm", GONE),
    "pooling": one(REFUSED, f"{_BACKBONE}.pooling", "mean"),
    "start of weights": one(REFUSED, "model.generator.init", "orthogonal"),
    "defaults of a network": Case(
        TAKEN, {"model.generator.one_hot": False, "model.generator.attention_resolutions": []}
    ),
    "layout": one(REFUSED, "model.data_preprocessor.channels_last", True),
    # optimisers
    "rate": one(REFUSED, f"{_G}.optimizer.lr", 0.1),
    "rate of D": one(REFUSED, f"{_D}.optimizer.lr", 1e-5),
    "betas": one(REFUSED, f"{_G}.optimizer.betas", (0.5, 0.9)),
    "betas as a list": one(TAKEN, f"{_G}.optimizer.betas", [0, 0.99]),
    "eps": one(REFUSED, f"{_G}.optimizer.eps", 0.1),
    "default eps": one(TAKEN, f"{_G}.optimizer.eps", 1e-8),
    "decay": one(REFUSED, f"{_D}.optimizer.weight_decay", 0.5),
    "no decay": one(TAKEN, f"{_D}.optimizer.weight_decay", 0),
    "AdamW": one(REFUSED, f"{_G}.optimizer", adam(type="AdamW", weight_decay=0.1), f"{_G}.optimizer.type"),
    "SGD": one(REFUSED, f"{_G}.optimizer", dict(type="SGD", lr=0.01, _delete_=True), f"{_G}.optimizer.type"),
    "RMSprop": one(
        REFUSED, f"{_D}.optimizer", dict(type="RMSprop", lr=0.01, _delete_=True), f"{_D}.optimizer"
    ),
    "amsgrad": one(REFUSED, f"{_G}.optimizer.amsgrad", True),
    "clipping": one(REFUSED, f"{_G}.clip_grad.max_norm", 1e-3),
    "no clipping": one(REFUSED, f"{_G}.clip_grad", GONE, f"{_G}.clip_grad.max_norm"),
    "clipping by value": one(REFUSED, f"{_D}.clip_grad", dict(max_norm=1e-4), f"{_D}.clip_grad.max_norm"),
    "rule": one(REFUSED, f"{_G}.rules", {"*.bias": dict(lr_mult=0.0)}, f"{_G}.rules"),
    "frozen": one(REFUSED, f"{_D}.rules", {"discriminator.backbone.*": dict(freeze=True)}, f"{_D}.rules"),
    "empty rules": one(TAKEN, f"{_G}.rules", {}),
    "precision": one(REFUSED, "optim_wrapper.precision", "bfloat16", "optim_wrapper.discriminator.precision"),
    "precision of one": one(REFUSED, f"{_D}.precision", "bfloat16"),
    "auto precision": one(TAKEN, "optim_wrapper.precision", "auto"),
    # schedules
    "end of a schedule": one(REFUSED, "param_scheduler.generator", [{**EASE, "end": 4}], "generator.0.end"),
    "begin of a schedule": one(
        REFUSED, "param_scheduler.generator", [{**EASE, "begin": 2}], "generator.0.begin"
    ),
    "kind of a schedule": one(
        REFUSED,
        "param_scheduler.generator",
        [dict(type="CosineAnnealingLR", T_max=6, by_epoch=False)],
        "param_scheduler.generator.0.type",
    ),
    "no schedule": one(REFUSED, "param_scheduler", GONE, "param_scheduler.generator.0.type"),
    "a schedule of D": one(REFUSED, "param_scheduler.discriminator", [EASE], "discriminator.0.type"),
    "no scheduler hook": one(
        REFUSED, "default_hooks.param_scheduler", None, "default_hooks.param_scheduler.type"
    ),
    "scheduler hook": one(TAKEN, "default_hooks.param_scheduler", dict(type="ParamSchedulerHook")),
    # the average
    "average": one(REFUSED, f"{_EMA}.decay", 0.1),
    "start of the average": one(REFUSED, f"{_EMA}.start", 100),
    "interval of the average": one(REFUSED, f"{_EMA}.interval", 3),
    "half-life": one(REFUSED, f"{_EMA}.half_life_images", 10.0),
    "buffers": one(REFUSED, f"{_EMA}.buffers", "copy"),
    "default start": one(TAKEN, f"{_EMA}.start", 0),
    "no hook of an average": one(REFUSED, _EMA, GONE, f"{_EMA}.type"),
    "no average": Case(REFUSED, {_EMA: GONE, "model.ema": False}, "model.ema"),
    # hooks
    "a decay's schedule": one(
        REFUSED,
        "custom_hooks",
        [dict(type="WeightDecayScheduleHook", generator=dict(kind="constant", value=0.5))],
        "custom_hooks.0.type",
    ),
    "a number's schedule": one(
        REFUSED,
        "custom_hooks",
        [dict(type="ScheduleHook", values={"regularizers.r1.weight": dict(kind="constant", value=9.0)})],
        "custom_hooks.0.type",
    ),
    "a plugin's hook that watches": one(TAKEN, "custom_hooks", [dict(type="WatchingHook")]),
    "MMEngine's hook that watches": one(TAKEN, "custom_hooks", [dict(type="EmptyCacheHook")]),
    "MMEngine's hook that steers": one(
        REFUSED, "custom_hooks", [dict(type="SyncBuffersHook")], "custom_hooks.0.type"
    ),
    "a guard less": one(TAKEN, "default_hooks.finite_guard", GONE),
    "sample grid": one(TAKEN, "default_hooks.sample_grid", dict(type="SampleGridHook", interval=2, rows=1)),
    "early stop": one(
        TAKEN, "custom_hooks", [dict(type="EarlyStopHook", monitor="level_error", rule="less", patience=50)]
    ),
    # how long, how often, where
    "checkpoints": one(TAKEN, "default_hooks.checkpoint.interval", 2),
    "kept": one(TAKEN, "default_hooks.checkpoint.max_keep", 1),
    "best": Case(
        TAKEN, {"default_hooks.checkpoint.save_best": "level_error", "default_hooks.checkpoint.rule": "less"}
    ),
    "evaluations": one(TAKEN, "train_cfg.val_interval", 2),
    "first evaluation": one(TAKEN, "train_cfg.val_begin", 5),
    "evaluator": one(TAKEN, "val_evaluator", [dict(type="MeanLevel"), dict(type="MeanLevel", prefix="b")]),
    "no evaluation": Case(TAKEN, dict.fromkeys(("val_cfg", "val_dataloader", "val_evaluator"), GONE)),
    "images to evaluate": one(TAKEN, "val_dataloader.dataset.size", 12),
    "log": one(TAKEN, "default_hooks.logger.interval", 1),
    "log level": one(TAKEN, "log_level", "ERROR"),
    "log processor": one(TAKEN, "log_processor", dict(window_size=3)),
    "name": one(TAKEN, "experiment_name", "another"),
    "dashboards": one(
        TAKEN, "visualizer", dict(type="Visualizer", vis_backends=[dict(type="LocalVisBackend")])
    ),
    "timeout": one(TAKEN, "env_cfg", dict(dist_cfg=dict(timeout=99))),
    "benchmark": one(TAKEN, "env_cfg", dict(cudnn_benchmark=True)),
    "arithmetic": one(REFUSED, "env_cfg", dict(tf32=True), "env_cfg.tf32"),
    "exchange": one(TAKEN, "distributed", dict(type="FlatExchange")),
    "no synchronised norm": one(TAKEN, "sync_bn", False),
    # randomness
    "seed": one(REFUSED, "randomness.seed", 4),
    "seed left out": one(TAKEN, "randomness", GONE),
    "seeds by rank": one(REFUSED, "randomness.diff_rank_seed", True),
}
#: refused, although this run on this machine learns the same: on others it does not
ALIKE = (
    "another set",
    "MMEngine's hook that steers",
    "last batch",
    "start of weights",
    "layout",
    "arithmetic",
    "seeds by rank",
)


def settings_of(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of the rich config with changes, for :func:`tiny_config`."""
    given = {path: value for path, value in changes.items() if value is not GONE}
    return {**RICH, **given, "removed": [path for path, value in changes.items() if value is GONE]}


def go(folder: Path, changes: dict[str, Any] | None = None, **more: Any) -> Any:
    """Train the rich config with changes of settings and return the runner."""
    return train(folder, **settings_of(changes or {}), **more)
