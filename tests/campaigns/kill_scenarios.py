"""The tiny runs that ``kill_runs`` kills, and the phases that each of them has."""

from tests.test_engine.tiny_run import EVALUATION, tiny_config

ITERATIONS = 60
PHASES = ("start", "iteration", "evaluation", "sample grid", "saving", "end")
PACED = {"custom_imports": dict(imports=["tests.campaigns.paced"], allow_failed_imports=False)}
CARELESS = [dict(type="CarelessPlugin"), dict(type="PhaseHook")]
GRID = [*CARELESS, dict(type="SampleGridHook", interval=3, rows=1)]
ADA = dict(type="ADA", transforms=["bgc"], adapt=dict(target=-0.9, interval=1, kimg=0.5))
STORE = dict(size=1438, dim=12)
INSTANCES = {
    "model.generator": dict(
        type="BigGANGenerator",
        image_size=8,
        channels=[8, 4],
        bottom_size=4,
        latent_dim=8,
        num_classes=0,
        instance_dim=12,
        instance_embedding_dim=4,
        attention_resolutions=[],
    ),
    "model.discriminator.heads": dict(
        adv=dict(type="ConditionProjectionHead", num_classes=0, instance_dim=12), _delete_=True
    ),
    "model.condition_sampler": dict(type="AllInstances", instance_store=STORE, num_classes=0, _delete_=True),
    "train_dataloader.dataset": dict(
        type="NeighbourhoodDataset",
        dataset=dict(type="DigitsDataset", split="train", image_size=8),
        store=STORE,
        _delete_=True,
    ),
}
SCENARIOS = {
    "random moments": {"custom_hooks": CARELESS},
    "evaluation": {**EVALUATION, "custom_hooks": CARELESS, "train_cfg.val_interval": 3},
    "sample grid": {"custom_hooks": GRID},
    "two workers": {**EVALUATION, "train_dataloader.num_workers": 2, "custom_hooks": GRID},
    "accumulation": {
        "custom_hooks": CARELESS,
        "train_dataloader.batch_size": 16,
        "model.step": dict(d_accumulation=2, n_critic=2),
    },
    "moving ADA p": {**EVALUATION, "model.augment": ADA, "custom_hooks": GRID, "train_cfg.val_interval": 5},
    "IC-GAN": {**INSTANCES, "custom_hooks": CARELESS},
    "two ranks": {**EVALUATION, "custom_hooks": CARELESS, "train_cfg.val_interval": 5},
}
LAUNCHED = ("two ranks",)


def phases_of(name):
    """Return the phases that a scenario has."""
    absent = {"evaluation"} if "val_cfg" not in SCENARIOS[name] else set()
    if not any(hook["type"] == "SampleGridHook" for hook in SCENARIOS[name]["custom_hooks"]):
        absent.add("sample grid")
    # the start and the end cost most of the campaign's time, and differ least between scenarios
    twice = [phase for phase in PHASES if phase not in ("start", "end")]
    return [phase for phase in (*PHASES, *twice) if phase not in absent]


def config_of(name, folder):
    """Return the config of a scenario."""
    config = tiny_config(folder, **{"train_cfg.max_iters": ITERATIONS, **PACED, **SCENARIOS[name]})
    config.default_hooks.checkpoint.interval = 4
    config.default_hooks.checkpoint.max_keep = 3
    return config
