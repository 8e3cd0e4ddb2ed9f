"""From one config to the two players' optimisers."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import torch
from mmengine.optim import OptimWrapperDict
from torch import nn

from mmcgan.optim.players import PLAYERS
from mmcgan.optim.wrapper import GANOptimWrapper
from mmcgan.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIMIZERS
from mmcgan.suggestions import nearest

SECTION_KEYS = ("optimizer", "rules", "adopts", "clip_grad", "precision")
RULE_KEYS = ("lr_mult", "decay_mult", "freeze")
#: Settings by which a config chooses how torch computes an optimiser's step.
IMPLEMENTATIONS = ("fused", "foreach", "capturable", "differentiable")
FUSED_DEVICES = ("cpu", "cuda")
NamedParameters = dict[str, nn.Parameter]


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class GANOptimWrapperConstructor:
    """Builds an ``OptimWrapperDict`` with the keys ``generator`` and ``discriminator``.

    A section per player::

        generator=dict(
            optimizer=dict(type='Adam', lr=2e-4, betas=(0.0, 0.999), weight_decay=1e-3),
            rules={'*.bias': dict(decay_mult=0.0), 'generator.shared*': dict(lr_mult=0.1),
                   'generator.blocks.0.*': dict(freeze=True)},
            adopts=['discriminator.heads.info.*'],
            clip_grad=dict(max_norm=10.0)),

    ``rules`` maps a shell-style pattern on the parameter's full name in the model to
    ``lr_mult``, ``decay_mult`` and ``freeze``; where several match, later ones override key
    by key. ``adopts`` takes parameters that belong to the other player by name.
    ``precision`` at the top level holds for both players, a section's own goes first; without either
    it is float32.

    Args:
        optim_wrapper_cfg: the sections and, optionally, ``precision``.
        paramwise_cfg: must stay None; MMEngine passes it. Use ``rules``.

    Raises:
        ValueError: a missing section, an unknown key, or ``paramwise_cfg`` given.
    """

    def __init__(self, optim_wrapper_cfg: Mapping[str, Any], paramwise_cfg: Any = None) -> None:
        if paramwise_cfg is not None:
            raise ValueError("optim_wrapper.paramwise_cfg is not used here; write <player>.rules")
        settings = dict(optim_wrapper_cfg)
        settings.pop("type", None)
        precision = settings.pop("precision", "float32")
        _check_keys("optim_wrapper", settings, PLAYERS)
        missing = [player for player in PLAYERS if player not in settings]
        if missing:
            raise ValueError(f"optim_wrapper lacks the section(s) {', '.join(missing)}")
        self.sections = {player: {"precision": precision, **settings[player]} for player in PLAYERS}
        for player, section in self.sections.items():
            _check_keys(f"optim_wrapper.{player}", section, SECTION_KEYS)
            if "optimizer" not in section:
                raise ValueError(f"optim_wrapper.{player} lacks 'optimizer'")
            for fault in rule_faults(section.get("rules")):
                raise ValueError(f"optim_wrapper.{player}.{fault}")

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """Build both optimisers for ``model``.

        Raises:
            ValueError: a pattern matches no parameter, both players adopt the same one, or
                nothing is left to train.
        """
        owned = self._assign(dict(model.named_parameters()))
        wrappers = {player: self._build(player, owned[player]) for player in PLAYERS}
        return OptimWrapperDict(**wrappers)

    def _assign(self, parameters: NamedParameters) -> dict[str, NamedParameters]:
        """Give each player the parameters under its name plus those it adopts."""
        owner = {name: name.partition(".")[0] for name in parameters}
        adopted: dict[str, str] = {}
        asked = [(player, each) for player in PLAYERS for each in self.sections[player].get("adopts") or ()]
        for player, pattern in asked:
            for name in _matching(pattern, parameters, f"optim_wrapper.{player}.adopts"):
                if adopted.setdefault(name, player) != player:
                    raise ValueError(f"optim_wrapper: both players adopt {name}")
        owner |= adopted
        return {
            player: {n: p for n, p in parameters.items() if owner[n] == player and p.requires_grad}
            for player in PLAYERS
        }

    def _build(self, player: str, parameters: NamedParameters) -> GANOptimWrapper:
        section = self.sections[player]
        optimizer = _floats(section["optimizer"])
        rules = _resolve(section.get("rules") or {}, parameters, f"optim_wrapper.{player}.rules")
        groups = _groups(parameters, rules, optimizer)
        if not groups:
            raise ValueError(f"optim_wrapper.{player}: no trainable parameter is left")
        members = [p for group in groups for p in group["params"]]
        fused = fused_by_default(optimizer, members, section["precision"])
        built = OPTIMIZERS.build({**optimizer, **fused, "params": groups})
        return GANOptimWrapper(built, section.get("clip_grad"), section["precision"])


def fused_by_default(
    optimizer: Mapping[str, Any], parameters: Sequence[nn.Parameter], precision: str
) -> dict[str, bool]:
    """Return ``dict(fused=True)`` where torch's Adam or AdamW can update all ``parameters`` in one call.

    One pass over memory instead of one for each operation. Not where the config chooses an implementation
    itself, and not under float16, whose gradient scaler treats fused optimisers in another way. A checkpoint
    keeps the implementation that it was written with, so that a resumed run goes on with the same numbers.

    Args:
        optimizer: its config; a subclass that does not take ``fused`` is left alone.
        parameters: of all groups.
        precision: of the player.
    """
    kind = OPTIMIZERS.get(optimizer["type"]) if isinstance(optimizer["type"], str) else optimizer["type"]
    known = isinstance(kind, type) and issubclass(kind, torch.optim.Adam | torch.optim.AdamW)
    takes = known and "fused" in inspect.signature(kind).parameters
    if not takes or precision == "float16" or any(key in optimizer for key in IMPLEMENTATIONS):
        return {}
    able = all(p.device.type in FUSED_DEVICES and p.is_floating_point() for p in parameters)
    return {"fused": True} if able else {}


def rule_faults(rules: Any) -> Iterator[str]:
    """Yield what is wrong with the ``rules`` of a player, whatever parameters there are."""
    for pattern, rule in (rules or {}).items():
        where = f"rules[{pattern!r}]"
        if isinstance(rule, Mapping) and rule:
            yield from (
                f"{where}{fault}" for key, value in rule.items() if (fault := _rule_fault(key, value))
            )
        else:
            yield f"{where}: must be a dict with some of {', '.join(RULE_KEYS)}, got {rule!r}"


def _rule_fault(key: str, value: Any) -> str:
    """Return what is wrong with one setting of a rule; "" if nothing is."""
    if key not in RULE_KEYS:
        return f": unknown key {key!r}.{nearest(str(key), list(RULE_KEYS))}"
    if key == "freeze":
        return "" if isinstance(value, bool) else f".freeze: must be True or False, got {value!r}"
    return "" if _is_multiplier(value) else f".{key}: must be a finite number of at least 0, got {value!r}"


def _is_multiplier(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value < math.inf


def _check_keys(where: str, given: Mapping[str, Any], allowed: Sequence[str]) -> None:
    for key in given:
        if key not in allowed:
            raise ValueError(f"{where}: unknown key {key!r}.{nearest(key, list(allowed))}")


def matching(pattern: str, names: Iterable[str]) -> list[str]:
    """Return the names of parameters that a shell-style pattern of a rule matches."""
    return [name for name in names if fnmatchcase(name, pattern)]


def _matching(pattern: str, parameters: NamedParameters, where: str) -> list[str]:
    names = matching(pattern, parameters)
    if not names:
        raise ValueError(
            f"{where}: the pattern {pattern!r} matches no parameter."
            f"{nearest(pattern, list(parameters)[:200])}"
        )
    return names


def _resolve(
    rules: Mapping[str, Mapping[str, Any]], parameters: NamedParameters, where: str
) -> dict[str, dict[str, Any]]:
    """Return the merged rule of each parameter."""
    merged: dict[str, dict[str, Any]] = {name: {} for name in parameters}
    for pattern, rule in rules.items():
        for name in _matching(pattern, parameters, where):
            merged[name] |= rule
    return merged


def _groups(
    parameters: NamedParameters, rules: dict[str, dict[str, Any]], optimizer: dict[str, Any]
) -> list[dict[str, Any]]:
    """Group parameters of equal multipliers, in order of first appearance; freeze the frozen."""
    grouped: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in parameters.items():
        if rules[name].get("freeze", False):
            parameter.requires_grad_(False)
            continue
        key = (float(rules[name].get("lr_mult", 1.0)), float(rules[name].get("decay_mult", 1.0)))
        grouped.setdefault(key, []).append(parameter)
    rate, decay = optimizer.get("lr"), optimizer.get("weight_decay", 0.0)
    groups = []
    for (lr_mult, decay_mult), members in grouped.items():
        # kept in the group for what sets rates and decays later, such as schedules
        group: dict[str, Any] = {"params": members, "lr_mult": lr_mult, "decay_mult": decay_mult}
        group["weight_decay"] = decay * decay_mult
        if rate is not None:
            group["lr"] = rate * lr_mult
        groups.append(group)
    return groups


def _floats(optimizer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config with integers among ``lr``, ``betas`` … as floats, as torch requires."""
    converted = dict(optimizer)
    for key in ("lr", "eps", "weight_decay", "momentum", "alpha"):
        if isinstance(converted.get(key), int):
            converted[key] = float(converted[key])
    if "betas" in converted:
        converted["betas"] = tuple(float(beta) for beta in converted["betas"])
    return converted
