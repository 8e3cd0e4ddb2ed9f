"""What a config can be meant to say and rarely is: a training that ends before its parts begin, and the like.

These are warnings and not refusals: a trial run of a few iterations leaves most of a config without effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmcgan import registry as r
from mmcgan.config.components import Node, parameters_of, walk
from mmcgan.config.facts import section
from mmcgan.config.problems import Problem, dotted
from mmcgan.contracts import answers
from mmcgan.losses.base import Loss
from mmcgan.structures import height_and_width

#: arguments of a loop, a hook or a regulariser that count iterations from the first -> what becomes of it
COUNTED = {
    "interval": "comes due at the end, if at all",
    "val_interval": "evaluates at the end only",
    "val_begin": "nothing is evaluated",
    "start": "never begins",
    "warmup": "never ends",
}
#: the same of a schedule
OF_SCHEDULES = {"begin": "never begins", "step_size": "never moves", "milestones": "never reached"}


def notices(config: Mapping[str, Any]) -> list[Problem]:
    """Return what of a checked config has no effect, or hardly the one that is meant."""
    nodes = list(walk(config))
    found = [*_after_the_end(config, nodes), *_without_weight(config, nodes), *_unread_heads(config, nodes)]
    return [*found, *_other_size(config, nodes), *_too_few(config, nodes)]


def _after_the_end(config: Mapping[str, Any], nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield, as one sentence, what would begin or come due after the last iteration."""
    last = section(config, "train_cfg").get("max_iters")
    if not isinstance(last, int):
        return
    late = [text for node in nodes for text in _late(node, last)]
    if late:
        yield Problem("train_cfg.max_iters", f"{last} iterations end before {', '.join(late)}")


def _late(node: Node, last: int) -> Iterator[str]:
    scheduled = r.PARAM_SCHEDULERS in node.registries
    counts = scheduled or r.HOOKS in node.registries or r.REGULARIZERS in node.registries
    if not counts and node.path != ("train_cfg",):
        return
    for key, effect in (OF_SCHEDULES if scheduled else COUNTED).items():
        value = node.config.get(key)
        first = min(value, default=None) if isinstance(value, list | tuple) else value
        if isinstance(first, int | float) and first > last:
            yield f"{dotted((*node.path, key))}={value} ({effect})"


def _without_weight(config: Mapping[str, Any], nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield losses that all weigh nothing, where no schedule could change that."""
    losses = section(config, "model").get("losses")
    scheduled = any(r.HOOKS in node.registries and "values" in node.config for node in nodes)
    if not isinstance(losses, Mapping) or not losses or scheduled:
        return
    if not any(_weighs(loss.get("weights", 1.0)) for loss in losses.values() if isinstance(loss, Mapping)):
        yield Problem("model.losses", "all weights are 0: no loss trains anything")


def _weighs(weights: Any) -> bool:
    return any(weights.values()) if isinstance(weights, Mapping) else bool(weights)


def _unread_heads(config: Mapping[str, Any], nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield heads of the discriminator of which no loss, regulariser or augmentation reads a tensor."""
    heads = section(section(config, "model"), "discriminator").get("heads")
    read: set[str] = set()
    for node in nodes:
        if node.path[0] != "model" or not isinstance(node.component, type):
            continue
        if r.LOSSES in node.registries and answers(node.component, Loss):
            wiring = node.config.get("inputs") or getattr(node.component, "default_inputs", {})
            read |= set(_sources(wiring))
        elif hasattr(node.component, "reads_with"):
            read |= set(node.component.reads_with(node.config) or ())
    for name in heads or () if isinstance(heads, Mapping) else ():
        if not any(source.partition(".")[0] == name for source in read):
            yield Problem(f"model.discriminator.heads.{name}", "no loss, regulariser or augment reads it")


def _sources(wiring: Any) -> Iterator[str]:
    for source in wiring.values() if isinstance(wiring, Mapping) else ():
        yield from [source] if isinstance(source, str) else source


def _other_size(config: Mapping[str, Any], nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield real images of another size than those that are generated and compared with them."""
    made = section(section(config, "model"), "generator").get("image_size")
    for node in nodes:
        real = node.config.get("image_size")
        if node.path[1:] != ("reference", "dataset") or real is None or made is None:
            continue
        if height_and_width(real) != height_and_width(made):
            message = f"real images of {real} pixels are compared with generated ones of {made}"
            yield Problem(dotted((*node.path, "image_size")), message)


def _too_few(config: Mapping[str, Any], nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield metrics that need more images than an evaluation makes."""
    for node in nodes:
        if r.GENERATION_METRICS not in node.registries or node.path[0] == "model" or node.component is None:
            continue
        loader = section(config, node.path[0].replace("_evaluator", "_dataloader"))
        size = section(loader, "dataset").get("size")
        takes = parameters_of(node.component) or {}
        given = {key: value for key, value in node.config.items() if key in takes}
        shortage = getattr(node.component, "shortage", None)
        if shortage is None or not isinstance(size, int):
            continue
        reason = node.component(**given).shortage(size, None)
        if reason:
            yield Problem(dotted(node.path), f"{node.config['type']} is left out: {reason}")
