"""What a run reads from disk, built before its work folder is made: what cannot be used leaves no folder.

The runner takes what was built here in place of building it again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from mmengine.evaluator import Evaluator

from mmcgan.engine.random_state import preserved_random_state
from mmcgan.registry import DATASETS, EVALUATOR, FUNCTIONS
from mmcgan.returned import check_items

LOADERS = ("train_dataloader", "val_dataloader")
#: items of training that are looked at, from the first to the last
TRIED = 4


@dataclass
class Prepared:
    """Parts of a run by the place of their config, each for one use.

    Attributes:
        datasets: with the config that each was built of.
        evaluator: of ``val_evaluator``, likewise; None if it is none of ours or there is none.
    """

    datasets: list[tuple[Mapping[str, Any], Any]] = field(default_factory=list)
    evaluator: tuple[Mapping[str, Any], Evaluator] | None = None

    def with_dataset(self, loader: Any) -> Any:
        """Return the settings of a loader, with what gives the data set if it was built of its config."""
        config = loader.get("dataset") if isinstance(loader, Mapping) else None
        for number, (source, built) in enumerate(self.datasets):
            if source == config:
                del self.datasets[number]
                # MMEngine copies settings, and a function is copied as itself
                return {**loader, "dataset": {"type": lambda built=built: built}}
        return loader

    def take_evaluator(self, config: Any) -> Any:
        """Return the evaluator of a config, or the config if none was built of it."""
        if self.evaluator is None or self.evaluator[0] != config:
            return config
        built, self.evaluator = self.evaluator[1], None
        return built


_current: ContextVar[Prepared] = ContextVar("prepared")


def current() -> Prepared:
    """Return what was prepared for the run that is being built; nothing outside of :func:`prepared_for`."""
    return _current.get(Prepared())


@contextlib.contextmanager
def prepared_for(config: Mapping[str, Any]) -> Iterator[None]:
    """Build the data sets of training and evaluation, and the evaluator, for the runner built inside.

    The global generators are left as they were.

    Raises:
        Exception: what a constructor raises: files that are not there or not what they should be, an
            extractor that does not give what a metric needs, classes that are not those of the extractor,
            items of training that are not what a data set returns.
    """
    with preserved_random_state():
        prepared = _prepare(config)
    token = _current.set(prepared)
    try:
        yield
    finally:
        _current.reset(token)


def _prepare(config: Mapping[str, Any]) -> Prepared:
    prepared = Prepared()
    for name in LOADERS:
        settings = (config.get(name) or {}).get("dataset")
        if isinstance(settings, Mapping) and DATASETS.own(str(settings.get("type"))) is not None:
            built = DATASETS.build(deepcopy(settings))
            if name == LOADERS[0]:
                _try_items(built, config[name])
            prepared.datasets.append((deepcopy(settings), built))
    settings = config.get("val_evaluator")
    if isinstance(settings, Mapping) and "metrics" in settings and settings.get("type"):
        evaluator = EVALUATOR.build(deepcopy(settings))
        prepared.evaluator = (deepcopy(settings), evaluator)
        asked = (config.get("val_dataloader") or {}).get("dataset")
        conditions = next((built for source, built in prepared.datasets if source == asked), None)
        if conditions is not None:
            evaluator.dataset_meta = named_classes(_trained_on(prepared), conditions.metainfo)
    return prepared


def _try_items(dataset: Any, loader: Mapping[str, Any]) -> None:
    """Read a few items of training, where nothing but ``gan_collate`` stands between them and the model.

    A file that cannot be read is left to the training, which says so when it comes to it.

    Raises:
        ContractError: they are not what a data set returns, or not what its class tells of them.
    """
    if (loader.get("collate_fn") or {}).get("type") != "gan_collate" or not len(dataset):
        return
    last = len(dataset) - 1
    rows = sorted({number * last // (TRIED - 1) for number in range(TRIED)})
    try:
        items = dataset.__getitems__(rows)
    except Exception:  # somebody's code, or a damaged file
        return
    settings = {key: value for key, value in loader["dataset"].items() if key != "type"}
    check_items(dataset, items, len(rows), DATASETS.own(loader["dataset"]["type"]).facts(**settings))


def _trained_on(prepared: Prepared) -> Mapping[str, Any]:
    """Return what is known of the data set of training."""
    built = next((built for _, built in prepared.datasets), None)
    return {} if built is None else built.metainfo


def named_classes(training: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of an evaluation's conditions, with the names of its classes in training."""
    classes = tuple(training.get("classes") or ())
    return (
        {"classes": classes, **asked} if classes and len(classes) == asked.get("num_classes") else {**asked}
    )


def with_functions(loader: Any) -> Any:
    """Return the settings of a loader with the functions that they name.

    MMEngine looks names up in its own registry only, not in the one in which a config's are looked up.

    Raises:
        KeyError: no such function.
    """
    if not isinstance(loader, dict):
        return loader
    found = {}
    for key in ("collate_fn", "worker_init_fn"):
        named = loader.get(key)
        if isinstance(named, dict) and isinstance(named.get("type"), str):
            found[key] = {**named, "type": FUNCTIONS.require(named["type"])}
    return {**loader, **found}
