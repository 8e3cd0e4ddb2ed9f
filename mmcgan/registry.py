"""Every registry of mmcgan, one documented line each.

Two kinds. *Root children* extend an MMEngine registry of the same name in scope
``mmcgan``, so that MMEngine's Runner finds our components. *Role registries* hold the
parts of a conditional GAN; they have no parent, because MMEngine allows one child per
scope and one ``MODELS`` could not tell a head from a loss.

Nothing is imported before it is looked up: a name leads to the module that registers it
(:mod:`mmcgan.component_index`), and that one alone is imported. What a plugin registers is there once the
plugin is imported.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from mmengine import registry as root
from mmengine.registry import Registry

from mmcgan.component_index import components_of, is_indexed
from mmcgan.contracts import Bases
from mmcgan.suggestions import nearest

SCOPE = "mmcgan"


class SuggestingRegistry(Registry):
    """A registry whose failed look-up names the registry, the bad name and the nearest good ones."""

    @cached_property
    def _index(self) -> dict[str, str]:
        """Name -> module of what the package registers here."""
        variable = next(name for name, value in globals().items() if value is self)
        return components_of(variable, self._locations)

    def declares(self, name: str) -> bool:
        """Return whether mmcgan or an imported plugin registers ``name`` here, without importing it."""
        return name in self._module_dict or name in self._index

    def _import(self, name: str) -> None:
        """Import the module that registers ``name``, if one of the package does."""
        if name not in self._module_dict and name in self._index:
            importlib.import_module(self._index[name])

    def _import_others(self) -> None:
        """Import the locations that are not indexed: of other distributions, or single modules."""
        for location in self._locations:
            if not is_indexed(location):
                importlib.import_module(location)

    def import_from_location(self) -> None:
        """Do nothing: a look-up imports what it needs, see :meth:`import_all`."""

    def import_all(self) -> None:
        """Import everything that can be registered here."""
        for name in self._index:
            self._import(name)
        self._import_others()

    @property
    def module_dict(self) -> dict[str, Any]:
        """Everything that is registered here, imported."""
        self.import_all()
        return self._module_dict

    def get(self, key: Any) -> Any:
        """Return what is registered as ``key``, here or in a parent; None if nothing is."""
        if isinstance(key, str):
            self._import(key.removeprefix(f"{SCOPE}."))
            if not self.declares(key.removeprefix(f"{SCOPE}.")):
                self._import_others()
        return super().get(key)

    def names(self) -> list[str]:
        """Return the names that can be written as ``type`` here, parents included."""
        own = list(self.module_dict)
        if self.parent is None:
            return own
        self.parent.import_from_location()
        return own + list(self.parent._module_dict)

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

    MMEngine's registries import ``package.object`` for a name that they do not know, and the module that
    ``_scope_`` names; classes of theirs build their children that way too. Configs of generators, samplers
    and data sets come with the weights of other people, which could run any function so. Here a name is one
    of our own, of a plugin, or one of ``adopted``: classes of MMEngine and mmcv that build nothing.

    Args:
        adopted: names of the parent that are handed out although MMEngine or mmcv made them.
        bases: of its components, ``module:Class``; what is registered and built keeps their contract.
    """

    def __init__(
        self, *args: Any, adopted: tuple[str, ...] = (), bases: tuple[str, ...] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.adopted = adopted
        self.bases = Bases(bases)

    def _register_module(self, module: Any, *args: Any, **kwargs: Any) -> None:
        """Register a class or function.

        Raises:
            ContractError: a class that lacks what its role needs.
        """
        if self.bases.places:
            self.bases.check_class(module)
        super()._register_module(module, *args, **kwargs)

    def get(self, key: Any) -> Any:
        """Return what is registered as ``key``, here or in the parent; None if nothing is.

        Raises:
            TypeError: ``key`` is no text.
        """
        if not isinstance(key, str):
            raise TypeError(f"{self.name}: a component is named by text, got {key!r}")
        name = key.removeprefix(f"{SCOPE}.")
        self._import(name)
        if not self.declares(name):
            self._import_others()
        if name in self._module_dict or self.parent is None:
            return self._module_dict.get(name)
        self.parent.import_from_location()
        name = key.removeprefix(f"{self.parent.scope}.")
        found = self.parent._module_dict.get(name)
        return found if name in self.adopted or not _of_openmmlab(found) else None

    def own(self, key: str) -> Any:
        """Return what mmcgan or a plugin registered here as ``key``, or one of ``adopted``; else None."""
        found = self.get(key)
        return found if key in self._module_dict or key in self.adopted else None

    def names(self) -> list[str]:
        """Return the names that can be written as ``type`` here."""
        return [name for name in super().names() if self.get(name) is not None]

    def build(self, cfg: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the component that ``cfg`` describes: its ``type`` called with everything else.

        MMEngine's own function would look ``type`` up in whatever registry the current scope leads to.

        Raises:
            TypeError: ``cfg`` is no dict.
            KeyError: no ``type``, or nothing of that name.
            ValueError: ``cfg`` has a ``_scope_``, for which MMEngine would import a module.
            ContractError: what was built lacks what its role needs.
        """
        if not isinstance(cfg, Mapping):
            raise TypeError(f"{self.name}: cfg should be a dict with 'type', got {cfg!r}")
        settings = {**cfg}
        if "type" not in settings:
            raise KeyError(f"{self.name}: the config must contain the key 'type', got {settings}")
        if settings.pop("_scope_", SCOPE) != SCOPE:
            raise ValueError(f"{self.name}: _scope_={cfg['_scope_']!r}: components are of scope {SCOPE!r}")
        kind = settings.pop("type")
        # a class stands for itself in configs that their user wrote as Python
        component = self.require(kind) if isinstance(kind, str) or not callable(kind) else kind
        built = component(*args, **settings, **kwargs)
        self.check_built(built)
        return built

    def check_built(self, component: Any) -> None:
        """Refuse a component whose values are not those of its role.

        Raises:
            ContractError: names the class, what it lacks, and the page.
        """
        if self.bases.places:
            self.bases.check_built(component)


def _of_openmmlab(component: Any) -> bool:
    return str(getattr(component, "__module__", "")).partition(".")[0] in ("mmengine", "mmcv")


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
HOOKS = _child(root.HOOKS, "mmcgan.hooks")  # what runs at intervals
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
VISBACKENDS = _child(root.VISBACKENDS, "mmcgan.engine")  # where pictures and scalars go
INFERENCERS = _child(root.INFERENCERS, "mmcgan.apis")  # user-facing sampling interfaces
FUNCTIONS = _child(root.FUNCTIONS, "mmcgan.datasets")  # collate functions

# --- roles of a conditional GAN ---------------------------------------------------------------
GENERATORS = _role("generator", "mmcgan.models.generators", "base:Generator")  # (z, condition) -> image
BACKBONES = _role("backbone", "mmcgan.models.backbones", "base:Backbone")  # image -> features
HEADS = _role("head", "mmcgan.models.heads", "base:Head")  # (features, condition) -> named tensors
LOSSES = _role("loss", "mmcgan.losses", "base:Loss")  # named tensors -> scalar; no parameters
REGULARIZERS = _role("regularizer", "mmcgan.regularizers", "base:Regularizer")  # step context -> scalar
AUGMENTS = _role("augment", "mmcgan.augments", "base:Augment")  # image -> image, inside score()
SAMPLERS = _role(  # latents and conditions asked of G
    "condition sampler",
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
