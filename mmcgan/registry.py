"""Every registry of mmcgan, one documented line each.

Two kinds. *Root children* extend an MMEngine registry of the same name in scope
``mmcgan``, so that MMEngine's Runner finds our components. *Role registries* hold the
parts of a conditional GAN; they have no parent, because MMEngine allows one child per
scope and one ``MODELS`` could not tell a head from a loss.

:mod:`mmcgan.component_registry` says how names are looked up.
"""

from __future__ import annotations

from typing import Any

from mmengine import registry as root
from mmengine.registry import Registry

from mmcgan.component_registry import (
    FAILED_PLUGINS,
    SCOPE,
    ClosedRegistry,
    FieldRegistry,
    SuggestingRegistry,
    added_since,
    adopt,
    every_registry,
    failures,
    registering_for,
    restore,
    snapshot,
)

__all__ = [
    "FAILED_PLUGINS",
    "SCOPE",
    "ClosedRegistry",
    "FieldRegistry",
    "SuggestingRegistry",
    "added_since",
    "adopt",
    "every_registry",
    "failures",
    "registering_for",
    "restore",
    "snapshot",
]

# transforms of mmcv that build no other ones; Compose and its like are ours, see datasets/transforms.py
PLAIN_TRANSFORMS = (
    "Normalize",
    "Resize",
    "Pad",
    "RandomGrayscale",
    "RandomFlip",
    "ToTensor",
    "ImageToTensor",
)


def _child(parent: Registry, *locations: str) -> SuggestingRegistry:
    return SuggestingRegistry(parent.name, parent=parent, scope=SCOPE, locations=list(locations))


def _closed_child(
    parent: Registry, *locations: str, adopted: tuple[str, ...] = (), bases: tuple[str, ...] = ()
) -> ClosedRegistry:
    return ClosedRegistry(
        parent.name, parent=parent, scope=SCOPE, locations=list(locations), adopted=adopted, bases=bases
    )


def _role(name: str, location: str, *bases: str) -> ClosedRegistry:
    places = tuple(f"{location}.{base}" for base in bases)  # modules and classes
    return ClosedRegistry(name, scope=SCOPE, locations=[location], bases=places)


# --- children of MMEngine's roots -------------------------------------------------------------
RUNNERS = _closed_child(root.RUNNERS, "mmcgan.engine")  # what drives training: GANRunner
RUNNER_CONSTRUCTORS = _child(root.RUNNER_CONSTRUCTORS, "mmcgan.engine")  # how a runner is made
LOOPS = _child(root.LOOPS, "mmcgan.engine")  # iteration order: GANTrainLoop
HOOKS = _child(root.HOOKS, "mmcgan.hooks", "mmcgan.comparison")  # what runs at intervals, and at the end
LOG_PROCESSORS = _child(root.LOG_PROCESSORS, "mmcgan.engine")  # how log lines are made
STRATEGIES = _child(root.STRATEGIES, "mmcgan.engine")  # FlexibleRunner strategies (unused by us)
DATASETS = _closed_child(  # images and seeded evaluation conditions
    root.DATASETS, "mmcgan.datasets", bases=("mmcgan.datasets.base:GANDataset",)
)
DATA_SAMPLERS = _child(root.DATA_SAMPLERS, "mmcgan.datasets")  # order in which a DataLoader reads
TRANSFORMS = _closed_child(  # steps of a pipeline
    root.TRANSFORMS, "mmcgan.datasets", "mmcgan.datasets.transforms", adopted=PLAIN_TRANSFORMS
)
MODELS = _closed_child(root.MODELS, "mmcgan.models")  # ConditionalGAN and data preprocessors
MODEL_WRAPPERS = _child(root.MODEL_WRAPPERS, "mmcgan.engine")  # wrappers for distribution
WEIGHT_INITIALIZERS = _child(root.WEIGHT_INITIALIZERS, "mmcgan.models")  # MMEngine initialisers
OPTIMIZERS = _child(root.OPTIMIZERS, "mmcgan.optim")  # torch optimisers and ours
OPTIM_WRAPPERS = _child(root.OPTIM_WRAPPERS, "mmcgan.optim")  # precision and accumulation
OPTIM_WRAPPER_CONSTRUCTORS = _child(root.OPTIM_WRAPPER_CONSTRUCTORS, "mmcgan.optim")  # G and D
PARAM_SCHEDULERS = _child(root.PARAM_SCHEDULERS, "mmcgan.optim")  # learning-rate schedules
METRICS = _child(root.METRICS, "mmcgan.evaluation")  # MMEngine-style metrics
EVALUATOR = _child(root.EVALUATOR, "mmcgan.evaluation")  # feeds metrics from one extractor pass
TASK_UTILS = _child(root.TASK_UTILS, "mmcgan.models")  # small helpers
VISUALIZERS = _child(root.VISUALIZERS, "mmcgan.engine")  # writes pictures and scalars
VISBACKENDS = _child(root.VISBACKENDS, "mmcgan.apis")  # where pictures and scalars go
INFERENCERS = _child(root.INFERENCERS, "mmcgan.apis")  # user-facing sampling interfaces
FUNCTIONS = _child(root.FUNCTIONS, "mmcgan.datasets")  # collate functions

# --- roles of a conditional GAN ---------------------------------------------------------------
CONDITION_FIELDS = FieldRegistry(  # what a field of a condition is, by the field's name
    "condition field",
    scope=SCOPE,
    locations=["mmcgan.condition_fields"],
    bases=("mmcgan.condition_fields.base:ConditionField",),
)
GENERATORS = _role("generator", "mmcgan.models.generators", "base:Generator")  # (z, condition) -> image
BACKBONES = _role("backbone", "mmcgan.models.backbones", "base:Backbone")  # image -> features
HEADS = _role("head", "mmcgan.models.heads", "base:Head")  # (features, condition) -> named tensors
LOSSES = _role(  # named tensors -> scalar; no parameters
    "loss", "mmcgan.losses", "base:Loss", "base:PairedLoss"
)
REGULARIZERS = _role("regularizer", "mmcgan.regularizers", "base:Regularizer")  # step context -> scalar
AUGMENTS = _role("augment", "mmcgan.augments", "base:Augment")  # image -> image, inside score()
SAMPLERS = _role(  # latents and conditions asked of G
    "sampler",
    "mmcgan.samplers",
    "base:LatentSampler",
    "base:ConditionSampler",
    "moves:LatentMove",
)
EXTRACTORS = _role("extractor", "mmcgan.extractors", "base:Extractor")  # frozen image -> features and logits
GENERATION_METRICS = _role(  # extractor outputs -> figures
    "generation metric", "mmcgan.evaluation", "metrics.base:GenerationMetric"
)
GRADIENT_EXCHANGES = _role("gradient exchange", "mmcgan.optim")  # how ranks average gradients
DEGRADATIONS = _role(  # what an image to be restored has lost
    "degradation", "mmcgan.restoration", "degradations:Degradation"
)


#: characters of a config that is formatted when it is written
LONGEST_FORMATTED = 20_000


def build_runner(config: Any) -> Any:
    """Return the runner of a config, of the kind that ``runner_type`` names."""
    kind: Any = RUNNERS.require(config.get("runner_type", "GANRunner"))
    _leave_long_texts_alone(config)
    return kind.from_cfg(config)


def _leave_long_texts_alone(config: Any) -> None:
    """Let a config be written as it is where it is too long for the formatter that MMEngine sends it through.

    That one is not able to follow lists of thousands of numbers, and takes seconds for those of hundreds.
    """
    formatting = getattr(config, "_format_python_code", False)
    if not formatting:
        return
    object.__setattr__(config, "_format_python_code", False)
    short = len(config.pretty_text) <= LONGEST_FORMATTED
    object.__setattr__(config, "_format_python_code", short)
