"""What two places of a config say that cannot both be meant: watched figures, metrics; labels, classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from mmcgan import registry as r
from mmcgan.config.components import Node, find_component, parameters_of
from mmcgan.config.problems import Problem, dotted
from mmcgan.contracts import declared
from mmcgan.suggestions import nearest

#: Arguments of hooks that name a figure of the evaluation.
WATCHED = ("save_best", "metric", "monitor")
#: Where labels are asked for, and where the number of classes stands.
LABELLED = (r.HOOKS, r.DATASETS, r.SAMPLERS)


def figure_problems(config: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield figures that a hook watches and no metric gives, and figures that two metrics give."""
    for evaluator in ("val_evaluator", "test_evaluator"):
        yield from _given_twice(config, evaluator)
    known = _figures(config, "val_evaluator")
    if known is None:
        return
    for place, name in watched_figures(config):
        if not any(fnmatchcase(name, pattern) for pattern in known):
            yield Problem(place, _unwatchable(name, known))


def watched_figures(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the figures that hooks and schedules watch, each with the dotted path of the argument."""
    for place, watcher in (*_hooks(config), *_schedules(config)):
        for key in WATCHED:
            if isinstance(watcher.get(key), str):
                yield f"{place}.{key}", watcher[key]


def _unwatchable(name: str, known: list[str]) -> str:
    if not known:
        return f"watches {name!r}, but nothing is evaluated (val_evaluator)"
    return f"watches {name!r}, which no metric of val_evaluator gives.{nearest(name, known)}"


def _hooks(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    default, custom = config.get("default_hooks"), config.get("custom_hooks")
    for name, hook in default.items() if isinstance(default, dict) else ():
        if isinstance(hook, dict):
            yield f"default_hooks.{name}", hook
    for index, hook in enumerate(custom if isinstance(custom, list | tuple) else ()):
        if isinstance(hook, dict):
            yield f"custom_hooks.{index}", hook


def _schedules(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the schedules of each player; one that watches a figure may leave its name to the default."""
    given = config.get("param_scheduler")
    for player, rows in given.items() if isinstance(given, Mapping) else ():
        for index, row in enumerate(rows if isinstance(rows, list | tuple) else ()):
            if not isinstance(row, dict):
                continue
            takes = parameters_of(find_component(row.get("type"), (r.PARAM_SCHEDULERS,))) or {}
            watched = {"monitor": takes["monitor"].default} if "monitor" in takes else {}
            yield f"param_scheduler.{player}.{index}", {**watched, **row}


def _metrics(config: Mapping[str, Any], evaluator: str) -> list[Mapping[str, Any]]:
    section = config.get(evaluator)
    metrics = section.get("metrics") if isinstance(section, dict) else None
    rows = metrics if isinstance(metrics, list | tuple) else [metrics]
    return [row for row in rows if isinstance(row, dict)]


def _figures(config: Mapping[str, Any], evaluator: str) -> list[str] | None:
    """Return the names (patterns) of all figures; None if a metric does not declare its own."""
    if config.get(evaluator) is None:
        return []
    found: list[str] = []
    rows = _metrics(config, evaluator)
    for row in rows:
        own = declared(find_component(row.get("type"), (r.GENERATION_METRICS, r.METRICS)), "figures")
        if not own:
            return None
        found += own
    return found or None


def _given_twice(config: Mapping[str, Any], evaluator: str) -> Iterator[Problem]:
    """Yield metrics of one class and equal settings but for what does not change a figure's name."""
    kinds = Counter(str(row.get("type")) for row in _metrics(config, evaluator))
    for kind, count in kinds.items():
        rows = [row for row in _metrics(config, evaluator) if str(row.get("type")) == kind]
        distinct = {repr(sorted((k, repr(v)) for k, v in row.items())) for row in rows}
        component = find_component(kind, (r.GENERATION_METRICS, r.METRICS))
        own = declared(component, "figures")
        fixed = own and all("*" not in name for name in own)
        if count > 1 and (len(distinct) < count or fixed):
            message = f"{kind} stands there {count} times; its figures would have one name"
            yield Problem(f"{evaluator}.metrics", message)


def label_problems(config: Mapping[str, Any], nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield labels that are asked for beyond the classes of the generator."""
    model = config.get("model")
    generator = model.get("generator") if isinstance(model, dict) else None
    classes = generator.get("num_classes") if isinstance(generator, dict) else None
    if not isinstance(classes, int) or classes < 1:
        return
    for node in nodes:
        labels = node.config.get("labels")
        if not any(registry in LABELLED for registry in node.registries):
            continue
        rows = labels if isinstance(labels, list | tuple) else [labels]
        beyond = [label for label in rows if isinstance(label, int) and label >= classes]
        if beyond:
            path = dotted((*node.path, "labels"))
            yield Problem(
                path, f"{beyond[0]} is beyond the {classes} classes of the generator (0 to {classes - 1})"
            )
