"""Values that have the right type but cannot work, found before a work folder is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmcgan.config.annotations import described, fits
from mmcgan.config.choices import file_problems, priority_problems, word_problems
from mmcgan.config.components import Node
from mmcgan.config.problems import Problem, dotted
from mmcgan.config.ranges import range_problems
from mmcgan.config.trials import trial_problems
from mmcgan.distributed import check_timeout
from mmcgan.optim.constructor import rule_faults
from mmcgan.optim.players import PLAYERS
from mmcgan.precision import AUTO, PRECISIONS
from mmcgan.suggestions import nearest

# Where the precision of training is set.
OPTIMISER_SECTIONS = ("optim_wrapper", *(f"optim_wrapper.{player}" for player in PLAYERS))
PLAYER_SECTIONS = tuple(("optim_wrapper", player) for player in PLAYERS)
#: options of torch.compile that a config can give, beside the modules that it is for
COMPILE_KINDS: dict[str, Any] = {
    "modules": list[str],
    "fullgraph": bool,
    "dynamic": bool | None,
    "backend": str,
    "mode": str | None,
    "options": dict[str, Any] | None,
    "disable": bool,
}


def value_problems(node: Node, facts_known: bool = True) -> Iterator[Problem]:
    """Yield what the numbers of ``node``, and the constructor of its component, refuse.

    To be asked only about a node whose keys and types are right.

    Args:
        node: as above.
        facts_known: False if the data set could not tell its facts: networks are not built then.
    """
    found = [*range_problems(node), *priority_problems(node), *file_problems(node), *word_problems(node)]
    if dotted(node.path) == "env_cfg":
        found += _environment_problems(node.config)
    if node.path in PLAYER_SECTIONS and isinstance(node.config.get("rules"), Mapping):
        faults = rule_faults(node.config["rules"])
        found += [Problem(dotted(node.path), fault) for fault in faults]
    if node.path == ("compile",):
        found += _compile_problems(node.config)
    if "precision" in node.config and dotted(node.path) in OPTIMISER_SECTIONS:
        found += _precision_problems(node)
    yield from found or trial_problems(node, facts_known)


def _environment_problems(config: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what the settings of the process refuse."""
    ranks = config.get("dist_cfg")
    if isinstance(ranks, Mapping) and "timeout" in ranks:
        try:
            check_timeout(ranks["timeout"])
        except ValueError as error:
            yield Problem("env_cfg.dist_cfg.timeout", str(error).removeprefix("env_cfg.dist_cfg.timeout "))
    for key in ("tf32", "cudnn_benchmark"):
        if not isinstance(config.get(key), bool | None):
            yield Problem(f"env_cfg.{key}", f"must be True or False, got {config[key]!r}")


def _compile_problems(settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what torch.compile would refuse at its first call."""
    for key, value in settings.items():
        if key not in COMPILE_KINDS:
            yield Problem(
                f"compile.{key}", f"torch.compile takes no {key!r}.{nearest(key, list(COMPILE_KINDS))}"
            )
        elif not fits(value, COMPILE_KINDS[key]):
            yield Problem(f"compile.{key}", f"must be {described(COMPILE_KINDS[key])}, got {value!r}")
    backend, mode = settings.get("backend"), settings.get("mode")
    if isinstance(backend, str) and backend not in (known := _compile_backends()):
        yield Problem("compile.backend", f"no backend {backend!r}.{nearest(backend, known)}")
    if isinstance(mode, str) and mode not in (known := _compile_modes()):
        yield Problem("compile.mode", f"no mode {mode!r}.{nearest(mode, known)}")


def _compile_backends() -> list[str]:
    from torch._dynamo import list_backends  # seconds to import: only where a backend is named

    return list(list_backends(exclude_tags=()))


def _compile_modes() -> list[str]:
    from torch._inductor import list_mode_options

    return list(list_mode_options())


def _precision_problems(node: Node) -> Iterator[Problem]:
    allowed, value = (AUTO, *PRECISIONS), node.config["precision"]
    if value not in allowed:
        hint = nearest(str(value), list(allowed))
        message = f"must be one of {', '.join(allowed)}, got {value!r}.{hint}"
        yield Problem(dotted((*node.path, "precision")), message)
