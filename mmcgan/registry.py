"""Every registry of mmcgan, one documented line each.

Two kinds. *Root children* extend an MMEngine registry of the same name in scope
``mmcgan``, so that MMEngine's Runner finds our components. *Role registries* hold the
parts of a conditional GAN; they have no parent, because MMEngine allows one child per
scope and one ``MODELS`` could not tell a head from a loss.

Components are imported lazily from ``locations`` at the first look-up.
"""

from __future__ import annotations

import difflib
from typing import Any

from mmengine import registry as root
from mmengine.registry import Registry

SCOPE = "mmcgan"


def nearest(name: str, choices: list[str]) -> str:
    """Return " Did you mean ...?" for the closest choices, or all choices when few are known."""
    close = difflib.get_close_matches(name, choices, n=3, cutoff=0.5)
    if close:
        return f" Did you mean {' or '.join(map(repr, close))}?"
    return f" Known: {', '.join(sorted(choices)) or 'none'}."


class SuggestingRegistry(Registry):
    """A registry whose failed look-up names the registry, the bad name and the nearest good ones."""

    def names(self) -> list[str]:
        """Return the names that can be written as ``type`` here, parents included."""
        self.import_from_location()
        own = list(self._module_dict)
        return own if self.parent is None else own + list(self.parent._module_dict)

    def require(self, name: str) -> type:
        """Return the class registered as ``name``.

        Raises:
            KeyError: nothing of that name; the message suggests the nearest names.
        """
        found = self.get(name)
        if found is None:
            raise KeyError(f"{self.name}: no component named {name!r}.{nearest(name, self.names())}")
        return found

    def build(self, cfg: Any, *args: Any, **kwargs: Any) -> Any:
        """Build ``cfg`` (a dict with ``type``), checking the name first."""
        if isinstance(cfg, dict) and isinstance(cfg.get("type"), str):
            self.require(cfg["type"])
        return super().build(cfg, *args, **kwargs)


class ClosedRegistry(SuggestingRegistry):
    """A registry of nothing but what is registered.

    MMEngine's registries import ``package.object`` for a name that they do not know. Configs of generators,
    samplers and data sets come with the weights of other people, which could name any function that way.
    """

    def get(self, key: Any) -> Any:
        """Return what is registered as ``key``, here or in the parent; None if nothing is.

        Raises:
            TypeError: ``key`` is no text.
        """
        if not isinstance(key, str):
            raise TypeError(f"{self.name}: a component is named by text, got {key!r}")
        self.import_from_location()
        name = key.removeprefix(f"{SCOPE}.")
        if name in self._module_dict or self.parent is None:
            return self._module_dict.get(name)
        self.parent.import_from_location()
        return self.parent._module_dict.get(key.removeprefix(f"{self.parent.scope}."))


def _child(parent: Registry, *locations: str) -> SuggestingRegistry:
    return SuggestingRegistry(parent.name, parent=parent, scope=SCOPE, locations=list(locations))


def _closed_child(parent: Registry, *locations: str) -> ClosedRegistry:
    return ClosedRegistry(parent.name, parent=parent, scope=SCOPE, locations=list(locations))


def _role(name: str, *locations: str) -> ClosedRegistry:
    return ClosedRegistry(name, scope=SCOPE, locations=list(locations))


# --- children of MMEngine's roots -------------------------------------------------------------
RUNNERS = _child(root.RUNNERS, "mmcgan.engine")  # what drives training: GANRunner
RUNNER_CONSTRUCTORS = _child(root.RUNNER_CONSTRUCTORS, "mmcgan.engine")  # how a runner is made
LOOPS = _child(root.LOOPS, "mmcgan.engine")  # iteration order: GANTrainLoop
HOOKS = _child(root.HOOKS, "mmcgan.hooks")  # what runs at intervals
LOG_PROCESSORS = _child(root.LOG_PROCESSORS, "mmcgan.engine")  # how log lines are made
STRATEGIES = _child(root.STRATEGIES, "mmcgan.engine")  # FlexibleRunner strategies (unused by us)
DATASETS = _closed_child(root.DATASETS, "mmcgan.datasets")  # images and seeded evaluation conditions
DATA_SAMPLERS = _child(root.DATA_SAMPLERS, "mmcgan.datasets")  # order in which a DataLoader reads
TRANSFORMS = _closed_child(root.TRANSFORMS, "mmcgan.datasets", "mmcv.transforms")  # steps of a pipeline
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
VISBACKENDS = _child(root.VISBACKENDS, "mmcgan.engine")  # where pictures and scalars go
INFERENCERS = _child(root.INFERENCERS, "mmcgan.apis")  # user-facing sampling interfaces
FUNCTIONS = _child(root.FUNCTIONS, "mmcgan.datasets")  # collate functions

# --- roles of a conditional GAN ---------------------------------------------------------------
GENERATORS = _role("generator", "mmcgan.models.generators")  # (z, condition) -> image
BACKBONES = _role("backbone", "mmcgan.models.backbones")  # image -> features, never the condition
HEADS = _role("head", "mmcgan.models.heads")  # (features, condition) -> named tensors
LOSSES = _role("loss", "mmcgan.losses")  # named tensors -> scalar; no parameters
REGULARIZERS = _role("regularizer", "mmcgan.regularizers")  # step context -> scalar
AUGMENTS = _role("augment", "mmcgan.augments")  # image -> image, inside score()
SAMPLERS = _role("condition sampler", "mmcgan.samplers")  # latents and conditions asked of G
EXTRACTORS = _role("extractor", "mmcgan.extractors")  # frozen image -> features and logits
GENERATION_METRICS = _role("generation metric", "mmcgan.evaluation")  # extractor outputs -> figures
GRADIENT_EXCHANGES = _role("gradient exchange", "mmcgan.optim")  # how ranks average gradients
DEGRADATIONS = _role("degradation", "mmcgan.restoration")  # what an image to be restored has lost

ROLE_REGISTRIES = {
    "generator": GENERATORS,
    "backbone": BACKBONES,
    "head": HEADS,
    "loss": LOSSES,
    "regularizer": REGULARIZERS,
    "augment": AUGMENTS,
    "condition sampler": SAMPLERS,
    "extractor": EXTRACTORS,
    "generation metric": GENERATION_METRICS,
}
