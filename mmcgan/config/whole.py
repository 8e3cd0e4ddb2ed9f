"""What a config must have as a whole: parts together, parts that are not empty, hooks that come once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.optim.scheduler import _ParamScheduler

from mmcgan import registry as r
from mmcgan.config.components import Node, parameters_of
from mmcgan.config.problems import Problem, dotted
from mmcgan.config.roles import role_problems
from mmcgan.contracts import declared
from mmcgan.optim.players import PLAYERS
from mmcgan.suggestions import nearest

#: all of them or none (MMEngine's Runner)
TOGETHER = (
    ("train_dataloader", "train_cfg", "optim_wrapper"),
    ("val_dataloader", "val_cfg", "val_evaluator"),
    ("test_dataloader", "test_cfg", "test_evaluator"),
)
#: lists and dicts that say nothing if they are empty
NOT_EMPTY = ("losses", "heads", "metrics", "milestones", "values", "keep", "clip_grad", "reference", "labels")
#: keys under which components stand by name
NAMED = (("heads",), ("losses",), ("regularizers",))
#: hooks of MMEngine -> ours that do the same for two players
REPLACED = {"CheckpointHook": "GANCheckpointHook", "EMAHook": "GeneratorEMAHook"}
#: what the runner asks of a training loop
OF_LOOPS = ("images_per_iteration", "continue_from")
#: of a schedule that counts epochs: it is to be turned into one that counts iterations
CONVERTED = "convert_to_iter_based"
#: first words of a schedule's path that are no parts of the model
SCHEDULED = ("optimizer", "generator_ema")


def whole_problems(config: Mapping[str, Any], nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield what is missing beside what is there, what is empty, and hooks that stand there twice."""
    for names in TOGETHER:
        absent = [name for name in names if config.get(name) is None]
        present = [name for name in names if name not in absent]
        if absent and present:
            yield Problem(absent[0], f"is missing although there is {' and '.join(present)}")
    for section in ("val_evaluator", "test_evaluator"):
        if isinstance(config.get(section), Mapping | list | tuple) and not config[section]:
            yield Problem(section, f"must not be empty, got {config[section]!r}")
    for node in nodes:
        yield from _empty(node)
        listed = node.path[-1].isdecimal() or node.path[-2:-1] in NAMED
        nameless = node.registries and not node.typed and listed
        several = node.path[-1].isdecimal() and any(isinstance(x, Mapping) for x in node.config.values())
        if nameless and not several:
            yield Problem(dotted(node.path), f"has no 'type' to name a component, got {node.config!r}")
    yield from _players(config.get("param_scheduler"))
    yield from _never_moved(config.get("train_cfg"), nodes)
    yield from _unusable(nodes)
    yield from role_problems(config, nodes)
    yield from _twice(nodes)
    yield from _unused_reference(nodes)
    yield from _scheduled(config.get("model"), nodes)


def _empty(node: Node) -> Iterator[Problem]:
    for key, value in node.config.items():
        if key in NOT_EMPTY and isinstance(value, Mapping | list | tuple) and not value:
            yield Problem(dotted((*node.path, str(key))), f"must not be empty, got {value!r}")


def _players(schedules: Any) -> Iterator[Problem]:
    """Yield schedules for somebody who is no player."""
    if isinstance(schedules, Mapping) and "type" not in schedules:
        for name in schedules:
            if name not in PLAYERS:
                hint = nearest(str(name), list(PLAYERS))
                yield Problem(f"param_scheduler.{name}", f"there is no such player.{hint}")


def _never_moved(loop: Any, nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield schedules that count epochs, of which a training that counts iterations has none."""
    if not isinstance(loop, Mapping) or "max_iters" not in loop:
        return
    for node in nodes:
        if r.PARAM_SCHEDULERS not in node.registries or node.component is None:
            continue
        if node.config.get("by_epoch", _by_epoch(node.component)) and not node.config.get(CONVERTED):
            message = (
                f"{node.config['type']} counts epochs, and this training iterations: give by_epoch=False"
            )
            yield Problem(dotted(node.path), message)


def _by_epoch(component: Any) -> bool:
    """Return whether a schedule counts epochs unless it is told otherwise, as all of MMEngine's do."""
    takes = parameters_of(component) or {}
    if "by_epoch" in takes:
        return takes["by_epoch"].default is True
    return isinstance(component, type) and issubclass(component, _ParamScheduler)


def _unusable(nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield hooks and loops of MMEngine that cannot drive the training of two players."""
    for node in nodes:
        kind = str(node.config.get("type"))
        if r.HOOKS in node.registries and kind in REPLACED:
            message = f"{kind} is for one network: use {REPLACED[kind]}"
            yield Problem(dotted((*node.path, "type")), message)
        if node.path == ("train_cfg",) and node.component is not None:
            lacks = [name for name in OF_LOOPS if not hasattr(node.component, name)]
            if lacks:
                message = (
                    f"{kind} cannot drive this training (it has no {', '.join(lacks)}): use GANTrainLoop"
                )
                yield Problem(dotted((*node.path, "type")), message)


def _twice(nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield the second of two hooks of a class that declares ``only_once``."""
    found: dict[Any, Node] = {}
    for node in nodes:
        if r.HOOKS not in node.registries or not declared(node.component, "only_once"):
            continue
        first = found.setdefault(node.component, node)
        if first is not node:
            message = f"{node.config['type']} stands at {dotted(first.path)} already, and works once in a run"
            yield Problem(dotted(node.path), message)


def _unused_reference(nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield metrics that compare with real images in an evaluator that is given none."""
    for node in nodes:
        if node.path[1:] == ("reference",) and not node.config.get("dataset") and node.config:
            yield Problem(
                dotted(node.path), f"needs dataset=dict(type=...), the real images, got {node.config!r}"
            )
        takes = (
            parameters_of(node.component) or {} if r.EVALUATOR in node.registries and node.component else {}
        )
        if "reference" not in takes or node.config.get("reference") is not None:
            continue
        for other in nodes:
            inside = other.path[: len(node.path) + 1] == (*node.path, "metrics")
            if inside and declared(other.component, "needs_reference"):
                message = (
                    f"{other.config['type']} compares with real images: give reference=dict(dataset=...)"
                )
                yield Problem(dotted((*node.path, "reference")), message)
                break


def _scheduled(model: Any, nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield paths of schedules that lead to nothing in the model, as far as its config tells."""
    whole = next((node for node in nodes if node.path == ("model",)), None)
    component = None if whole is None else whole.component
    takes = parameters_of(component)
    for node in nodes:
        paths = node.config.get("values")
        if r.HOOKS not in node.registries or not node.typed or not isinstance(paths, Mapping) or not takes:
            continue
        for path in paths:
            said = _leads_to_nothing(str(path), model, component, takes)
            if said:
                yield Problem(dotted((*node.path, "values", str(path))), f"leads to nothing: {said}")


def _leads_to_nothing(path: str, model: Any, component: Any, takes: Mapping[str, Any]) -> str:
    """Return what a path of a schedule misses in the model; "" if nothing."""
    root, _, rest = path.partition(".")
    held = model.get(root) if isinstance(model, Mapping) else None
    if root in SCHEDULED or not isinstance(held, Mapping | None):
        return ""  # what is no dict is found where it stands
    name = rest.partition(".")[0]
    if root not in takes and not hasattr(component, root):
        return f"the model has no {root!r}.{nearest(root, [*SCHEDULED, *takes])}"
    if root in ("losses", "regularizers") and name not in (held or {}):
        return f"model.{root} has no {name!r}.{nearest(name, list(held or {}))}"
    return ""
