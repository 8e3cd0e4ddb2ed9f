"""Connects losses to named tensors, as the config asks, and checks it at build."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.augments.base import Augment
from mmcgan.condition_fields import field_names
from mmcgan.losses.arguments import loss_arguments
from mmcgan.losses.base import Inputs, Loss
from mmcgan.registry import AUGMENTS, LOSSES
from mmcgan.returned import check_scalar
from mmcgan.structures import height_and_width
from mmcgan.suggestions import nearest

#: Argument of a loss -> named tensor, or several.
Wiring = Mapping[str, str | Sequence[str]]

PLAYER_VIEWS = {
    "discriminator": {"real", "fake", "discriminator"},
    "generator": {"generated", "generator"},
}


class WiredLoss(nn.Module):
    """A loss with its inputs' sources and its weight in each view.

    Args:
        name: the key in the config's ``losses``, used in logs and messages.
        loss: the loss.
        inputs: argument of the loss -> named tensor, or a list of them, over which the loss is averaged
            (scales or layers; several lists go side by side). The name of a tensor that there is on every
            scale (:class:`~mmcgan.models.heads.EachScale`) stands for the list of them.
        weights: one factor for all views, or a factor by view; a view left out is switched off.
        available: the named tensors that exist.

    Raises:
        ValueError: an input, a source or a view does not exist; lists the choices.
    """

    def __init__(
        self,
        name: str,
        loss: Loss,
        inputs: Wiring | None,
        weights: float | Mapping[str, float],
        available: Sequence[str],
    ) -> None:
        super().__init__()
        self.name, self.loss = name, loss
        self.inputs = every_scale(loss.default_inputs if inputs is None else inputs, available)
        self.weights = _weights_by_view(name, loss, weights)
        self.condition_weight = 1.0
        _check_inputs(name, loss, self.inputs, available)
        self._calls = calls_of(self.inputs)
        self.needs_real = loss.needs_real_in_generator_step and "generator" in self.weights
        self.sees_real = bool({"real", "discriminator"} & set(loss.implemented_views()))
        _check_codes(name, loss, self.inputs, self.sees_real)

    @property
    def sees_condition(self) -> bool:
        """Whether it is wired to a condition."""
        return any(source.startswith("cond.") for source in sources_of(self.inputs))

    @property
    def stands_alone(self) -> bool:
        """Whether it says something where the condition has no weight."""
        return not self.sees_condition or self.loss.weighs_condition

    def weigh_condition(self, weight: float) -> None:
        """Give what the loss says of the condition ``weight``: a part of it, if it can tell, or all."""
        if self.loss.weighs_condition:
            self.loss.weigh_condition(weight)
        elif self.sees_condition:
            self.condition_weight = weight

    def discriminator(self, real: Inputs, fake: Inputs) -> dict[str, Tensor]:
        """Return the weighted terms of the discriminator's step, named ``<loss>_<view>``."""
        fakes = self._pick(fake)
        reals: list[dict[str, Tensor]] = self._pick(real) if self.sees_real else [{}] * len(fakes)
        pairs = zip(reals, fakes, strict=True)
        return self._weighted([self.loss.discriminator_terms(*pair) for pair in pairs])

    def generator(self, fake: Inputs, real: Inputs | None) -> dict[str, Tensor]:
        """Return the weighted terms of the generator's step, named ``<loss>_<view>``."""
        fakes = self._pick(fake)
        seen = real if self.loss.needs_real_in_generator_step else None
        reals: Sequence[dict[str, Tensor] | None] = [None] * len(fakes) if seen is None else self._pick(seen)
        return self._weighted([self.loss.generator_terms(*pair) for pair in zip(fakes, reals, strict=True)])

    def figures(self, named: Inputs) -> dict[str, Tensor]:
        """Return what the loss has diagnostics log of a batch it sees, named ``<loss>.<figure>``."""
        if not self.loss.has_figures:
            return {}
        found = [self.loss.figures(call) for call in self._pick(named)]
        return {f"{self.name}.{key}": torch.stack([each[key] for each in found]).mean() for key in found[0]}

    def _pick(self, named: Inputs) -> list[dict[str, Tensor]]:
        """Return the arguments of every call of the loss."""
        return [{argument: named[source] for argument, source in call.items()} for call in self._calls]

    def _weighted(self, calls: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
        used = [view for view in calls[0] if view in self.weights]
        for terms in calls:
            for view in used:
                check_scalar(self.loss, view, terms[view])
        return {
            f"{self.name}_{view}": self.weights[view]
            * self.condition_weight
            * torch.stack([terms[view] for terms in calls]).mean()
            for view in used
        }


def build_losses(configs: Mapping[str, Mapping[str, Any]], available: Sequence[str]) -> list[WiredLoss]:
    """Build every loss of ``configs``; ``inputs`` and ``weights`` are ours, the rest is the loss's.

    Raises:
        ValueError: a mistake in the wiring, or no loss acts in one of the two players' steps.
    """
    wired = []
    for name, config in configs.items():
        own = {key: value for key, value in config.items() if key not in ("inputs", "weights")}
        loss = LOSSES.build(own)
        wired.append(WiredLoss(name, loss, config.get("inputs"), config.get("weights", 1.0), available))
    views = {view for loss in wired for view in loss.weights}
    for player, its_views in PLAYER_VIEWS.items():
        if not views & its_views:
            raise ValueError(
                f"losses: none acts in the {player}'s step; give one a weight for {sorted(its_views)}"
            )
    return wired


def build_augment(
    config: Mapping[str, Any] | None, available: Sequence[str], image_size: int | Sequence[int]
) -> Augment:
    """Build the augmentation of ``config``, or one that changes nothing.

    Args:
        config: of the augmentation, or None.
        available: the named tensors that the discriminator emits.
        image_size: side, or (height, width), of the images it will see.

    Raises:
        ValueError: it watches a tensor that nothing emits, or the images are too small for it.
    """
    if config is None:
        return Augment()
    augment = AUGMENTS.build(config)
    for source in augment.reads:
        if source not in available:
            raise ValueError(
                f"augment: {type(augment).__name__} watches {source!r}, which nothing emits."
                f"{nearest(source, list(available))}"
            )
    augment.check_size(*height_and_width(image_size))
    return augment


def every_scale(inputs: Wiring, available: Sequence[str]) -> dict[str, str | Sequence[str]]:
    """Return ``inputs`` with lists in the place of names that nothing but the scales of a head emits.

    ``adv.logit`` becomes ``adv.logit_0``, ``adv.logit_1``, ... where these are available and it is not.
    """
    return {name: _scales_of(value, available) for name, value in inputs.items()}


def _scales_of(value: str | Sequence[str], available: Sequence[str]) -> str | Sequence[str]:
    if not isinstance(value, str) or value in available:
        return value
    numbered = re.compile(rf"{re.escape(value)}_\d+")
    return [name for name in available if numbered.fullmatch(name)] or value


def sources_of(inputs: Wiring) -> list[str]:
    """Return every named tensor that ``inputs`` ask for."""
    return [name for value in inputs.values() for name in ([value] if isinstance(value, str) else value)]


def calls_of(inputs: Wiring) -> list[dict[str, str]]:
    """Return argument -> named tensor for every call: one call, or one for each entry of the lists."""
    number = max((len(value) for value in inputs.values() if not isinstance(value, str)), default=1)
    lists = {name: [value] * number if isinstance(value, str) else value for name, value in inputs.items()}
    return [{name: values[index] for name, values in lists.items()} for index in range(number)]


def always_available() -> list[str]:
    """Return the named tensors that no part of a model emits."""
    return ["image", "train.iteration", *(f"cond.{field}" for field in field_names())]


def input_problems(loss: type[Loss], inputs: Wiring, available: Sequence[str]) -> list[str]:
    """Return what is wrong with the wiring ``inputs`` of ``loss``, one sentence each."""
    arguments = loss_arguments(loss)
    known = [*available, *always_available()]
    inputs = every_scale(inputs, known)
    problems = [
        f"{loss.__name__} has no input {argument!r}.{nearest(argument, list(arguments))}"
        for argument in inputs
        if argument not in arguments
    ]
    problems += [
        f"input {argument!r} asks for {source!r}, which nothing emits.{nearest(source, known)}"
        for argument, value in inputs.items()
        for source in sources_of({argument: value})
        if source not in known
    ]
    lengths = {name: len(value) for name, value in inputs.items() if not isinstance(value, str)}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        problems.append(f"lists of inputs must have one length of at least 1, got {lengths}")
    missing = [name for name, required in arguments.items() if required and name not in inputs]
    return problems + [f"{loss.__name__} needs an input {name!r}" for name in missing]


def _check_inputs(name: str, loss: Loss, inputs: Wiring, available: Sequence[str]) -> None:
    problems = input_problems(type(loss), inputs, available)
    if problems:
        raise ValueError(f"losses.{name}: " + "; ".join(problems))


def _check_codes(name: str, loss: Loss, inputs: Wiring, sees_real: bool) -> None:
    codes = sorted(source for source in sources_of(inputs) if source.startswith("latent."))
    if codes and (sees_real or loss.needs_real_in_generator_step):
        raise ValueError(
            f"losses.{name}: {type(loss).__name__} looks at real images, which have no {codes[0]!r}; "
            "latent codes exist for generated images only"
        )


def _weights_by_view(name: str, loss: Loss, weights: float | Mapping[str, float]) -> dict[str, float]:
    views = loss.implemented_views()
    if not isinstance(weights, Mapping):
        return dict.fromkeys(views, float(weights))
    for view in weights:
        if view not in views:
            raise ValueError(
                f"losses.{name}.weights: {type(loss).__name__} has no view {view!r}."
                f"{nearest(view, list(views))}"
            )
    return {view: float(weight) for view, weight in weights.items()}
