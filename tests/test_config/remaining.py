"""What the check of a config was silent about, of both independent lists: who says it, or why nobody.

With ``FURTHER`` and ``SECOND`` these are all rows that were written: 281 and 221, none left out.
"""

from __future__ import annotations

from typing import Any

from tests.test_config.second_list import DIGITS, FOLDER, TEXT_FILE

OPTIMIZER = "optim_wrapper.generator.optimizer"
EXTRACTOR = "val_evaluator.extractor"
HOOKS = "default_hooks"
Row = tuple[str, Any]

#: named by the check since it tries more: the silent rows of the first list that are mistakes
MENDED: list[Row] = [
    (OPTIMIZER, {"type": "Adam", "lr": 1000000000.0}),
    ("optim_wrapper.generator.rules", {"x": {"lr_mult": -1}}),
    ("test_cfg", {"type": "ValLoop"}),
    ("val_cfg", {"type": "TestLoop"}),
    (f"{HOOKS}.sample_grid.labels", []),
    (f"{HOOKS}.sample_grid.labels", list(range(10)) * 1000),
    (f"{HOOKS}.sample_grid.truncation", 0.0),
    ("custom_hooks", [{"type": "CollapseGuardHook"}, {"type": "CollapseGuardHook"}]),
    ("custom_hooks", [{"type": "ProfilerHook", "on_trace_ready": "x"}]),
    ("train_dataloader.pin_memory_device", "cuda:99"),
    ("train_dataloader.collate_fn", {"type": "default_collate"}),
    ("train_dataloader.collate_fn", {"type": "pseudo_collate"}),
    ("val_dataloader.sampler", {"type": "InfiniteShuffle"}),
    ("val_dataloader.drop_last", True),
    ("model.generator.attention_resolutions", (7,)),
    ("model.generator.attention_resolutions", (8, 8)),
    ("model.latent_sampler", {"type": "NormalLatent", "latent_dim": 7}),
    (
        "val_evaluator.reference.dataset",
        {"type": "ConditionDataset", "size": 5, "num_classes": 10, "latent_dim": 48},
    ),
    (EXTRACTOR, {"type": "InceptionV3", "resize": "x"}),
    ("val_dataloader.dataset.labels", "unbalanced"),
    ("val_dataloader.dataset", DIGITS),
    ("train_dataloader.dataset.pipeline", [{"type": "Resize", "scale": (8, 8)}]),
    ("compile", {"backend": "nobody"}),
    ("cfg", {"a": 1}),
    ("visualizer.vis_backends", [{"type": "LocalVisBackend"}, {"type": "LocalVisBackend"}]),
    ("env_cfg.mp_cfg", {"opencv_num_threads": -1}),
]

#: refused by ``train`` before it makes a folder: what only the files themselves, or this machine, can tell
BUILT: list[Row] = [
    (EXTRACTOR, {"type": "TimmExtractor", "model": "nobody"}),
    (EXTRACTOR, {"type": "SmallClassifier", "weights": "fashion-mnist-32"}),
    (EXTRACTOR, {"type": "SmallSegmenter"}),
    ("val_evaluator.reference.path", "/dev/null/stats.safetensors"),
    (
        "train_dataloader.dataset",
        {"type": "ClassSubset", "dataset": {"type": "DigitsDataset", "image_size": 16}, "keep": [0, 1]},
    ),
    ("val_evaluator.reference.path", "/dev/null/folder/stats.safetensors"),
    ("val_evaluator.reference", {"dataset": DIGITS, "path": TEXT_FILE}),
    ("val_evaluator.reference", {"dataset": DIGITS, "path": FOLDER}),
    ("train_dataloader.dataset", {"type": "FashionMNIST", "root": TEXT_FILE}),
    ("train_dataloader.dataset", {"type": "FashionMNIST", "root": FOLDER}),
]

#: warned of at the start, since a trial run may mean it
NOTICED: list[Row] = [
    ("train_cfg.val_interval", 700),
    ("train_cfg.val_begin", 601),
    (f"{HOOKS}.checkpoint.interval", 700),
    (f"{HOOKS}.generator_ema.start", 700),
    (f"{HOOKS}.sample_grid.interval", 601),
    (f"{HOOKS}.logger.interval", 10**9),
    ("model.discriminator.heads.second", {"type": "OmniHead", "num_classes": 10}),
    ("model.losses.omni.weights", 0),
    ("train_dataloader.dataset.image_size", 32),
    ("val_evaluator.reference.dataset.image_size", 32),
    ("val_dataloader.dataset.size", 1),
    ("train_cfg.val_interval", 10**9),
    ("train_cfg.val_begin", 10**9),
    (f"{HOOKS}.checkpoint.interval", 10**9),
    ("param_scheduler", {"generator": [{"type": "StepLR", "step_size": 1000000, "by_epoch": False}]}),
    ("param_scheduler", {"generator": [{"type": "MultiStepLR", "milestones": [900], "by_epoch": False}]}),
]

#: no mistakes: (place, value, why)
MEANT: list[tuple[str, Any, str]] = [
    (
        "param_scheduler",
        {"generator": [{"type": "LinearLR", "convert_to_iter_based": True}]},
        "a schedule of epochs that is turned into one of iterations, as it asks for",
    ),
    (f"{HOOKS}.checkpoint", None, "None switches a hook off"),
    (
        f"{HOOKS}.generator_ema",
        {"type": "GeneratorEMAHook", "decay": 0.9, "half_life_images": 100},
        "a half life takes the place of the decay that a config inherits",
    ),
    ("custom_hooks", [{"type": "DistSamplerSeedHook"}], "tells the sampler its epoch twice: no effect"),
    ("train_dataloader.sampler", {"type": "DefaultSampler"}, "epochs that the loop begins again"),
    ("train_dataloader.sampler", {"type": "InfiniteSampler"}, "MMEngine's own endless order"),
    ("train_dataloader.batch_size", 1, "a batch of one image trains, if badly"),
    (
        "val_dataloader.sampler",
        {"type": "DefaultSampler", "shuffle": True},
        "figures do not depend on the order",
    ),
    ("val_dataloader.batch_size", 10**9, "all images in one batch"),
    ("model.generator.num_classes", 0, "0 is a generator that does not see the label"),
    ("model.generator.latent_dim", 13, "any length will do, and the evaluations follow"),
    ("model.losses.second", {"type": "OmniLoss"}, "two losses on one head add up"),
    ("model.losses.omni", {"type": "OmniLoss", "margin": -1}, "the sign of a margin is free"),
    ("model.augment", {"type": "DiffAugment", "policy": ["colour"]}, "the policy is called so"),
    ("model.ema", True, "the default"),
    ("load_from", "", "no file, as None"),
    (OPTIMIZER + ".maximize", True, "torch's own option, of which there is no doubt"),
    ("model.losses.omni.inputs", None, "None takes the default inputs"),
    (
        "param_scheduler",
        {"generator": [{"type": "MultiStepLR", "milestones": [5, 5], "by_epoch": False}]},
        "MMEngine lowers the rate twice at a milestone that is named twice",
    ),
    ("param_scheduler", {"generator": None}, "a player without a schedule"),
    ("default_hooks", None, "the standard hooks alone"),
    (f"{HOOKS}.checkpoint.rule", "greater", "a rule that MMEngine has, and the right one for an accuracy"),
    ("work_dir", "", "no folder named: work_dirs/NAME"),
]

#: said by ``train`` before it makes a folder, of what it is given beside the config
BY_TRAIN: list[Row] = [
    ("optim_wrapper.generator.precision", "float16"),
    ("work_dir", TEXT_FILE),
]
