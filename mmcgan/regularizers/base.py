"""What a regulariser is and what it may look at."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from torch import Tensor, nn

from mmcgan.contracts import Contract, Reading, Value, names, whole_number
from mmcgan.random import RandomStreams
from mmcgan.realness import READINGS, check_reading
from mmcgan.registry import REGULARIZERS
from mmcgan.returned import check_scalar
from mmcgan.structures import Condition, GANBatch
from mmcgan.suggestions import nearest

Scores = Mapping[str, Tensor]
Generate = Callable[[Tensor, Condition], Tensor]
PLAYERS = ("discriminator", "generator")


@dataclass(frozen=True)
class StepContext:
    """All that one step computed, and the two functions that compute more.

    Attributes:
        real, fake: the mini-batches; in the generator's step ``fake.image`` carries gradients.
        latent: what the fakes were made from, (N, latent_dim).
        real_scores, fake_scores: named outputs of the discriminator; ``real_scores`` is None in a
            generator step in which nothing asked for real images.
        score: ``score(image, condition, augment=True)``, the only door to the discriminator.
        generate: ``generate(latent, condition)``, the training generator; in the discriminator's
            step without gradient, unless the latent carries one.
        random: the run's random streams.
        network: the training :class:`~mmcgan.models.generators.base.Generator` itself, for regularisers that
            enter it behind z, by default in float32; ``with context.autocast():`` where its images are
            compared with those of the step.
        autocast: the precision in which the step made its images and scores. A regulariser's ``score`` and
            ``generate`` enter it by themselves, unless its :attr:`Regularizer.full_precision` is set.
    """

    real: GANBatch
    fake: GANBatch
    latent: Tensor
    real_scores: Scores | None
    fake_scores: Scores
    score: Callable[..., Scores]
    generate: Generate
    random: RandomStreams
    network: Any = None
    autocast: Callable[[], AbstractContextManager[Any]] = nullcontext

    def in_step_precision(self) -> StepContext:
        """Return the same with ``score`` and ``generate`` in the precision of the step.

        What a second pass is compared with was made in it: in another one a network that ignores its input
        would seem to follow it, by what the precisions round.
        """
        score, generate = (_within(self.autocast, function) for function in (self.score, self.generate))
        return replace(self, score=score, generate=generate)


def _within(
    autocast: Callable[[], AbstractContextManager[Any]], function: Callable[..., Any]
) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        with autocast():
            return function(*arguments, **named)

    return call


class Regularizer(Reading, nn.Module):
    """A term that is neither a loss of the scores nor a property of one network alone.

    A subclass overrides any of four moments; ``on`` says in whose step it acts, ``reads`` which named outputs
    of the discriminator it looks at, which must exist.

    Args:
        on: "discriminator" or "generator".
        weight: factor of the scalar.
        interval: act only in every ``interval``-th iteration, with ``interval`` times the weight
            (lazy regularisation, StyleGAN2 Appendix B).

    Raises:
        ValueError: ``on`` or ``interval`` is out of range.
    """

    contract: ClassVar[Contract] = Contract(
        "regularizer",
        "docs/extending/regularizer.md",
        either=("forward", "move_latent", "after_backward", "after_step"),
        values={
            "on": Value("discriminator or generator", lambda value: value in PLAYERS),
            "interval": Value("a whole number above 0", lambda value: whole_number(value) and value > 0),
            "reads": Value("a tuple of named tensors, () for none", names),
        },
    )

    allowed_on: ClassVar[tuple[str, ...]] = PLAYERS
    #: whether the step's own real images must carry a gradient when they are scored
    needs_real_gradient: bool = False
    #: whether the step's own generated images must
    needs_fake_gradient: bool = False
    #: whether further passes (``score``, ``generate``) compute in float32 whatever the step computes in, for
    #: those that differentiate them twice and compare them with nothing
    full_precision: ClassVar[bool] = False

    def __init__(self, on: str, weight: float = 1.0, interval: int = 1) -> None:
        super().__init__()
        if on not in self.allowed_on:
            raise ValueError(
                f"{type(self).__name__}: on={on!r} is not possible; allowed: {list(self.allowed_on)}"
            )
        if interval < 1:
            raise ValueError(f"{type(self).__name__}: interval must be at least 1, got {interval}")
        self.on, self.weight, self.interval = on, weight, interval

    @classmethod
    def reads_with(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the named outputs that a regulariser of these settings reads: ``logit`` or ``outputs``."""
        parameters = inspect.signature(cls).parameters
        named = [name for name in ("logit", "outputs") if name in parameters]
        values = [settings.get(name, parameters[name].default) for name in named]
        return tuple(x for value in values for x in ([value] if isinstance(value, str) else value))

    def is_due(self, iteration: int) -> bool:
        """Return whether this regulariser acts in ``iteration`` (counted from 0)."""
        return iteration % self.interval == 0

    def move_latent(
        self,
        latent: Tensor,
        condition: Condition,
        score: Callable[..., Scores],
        generate: Generate,
        random: RandomStreams,
    ) -> Tensor:
        """Return the latents (N, D) that the step's images are made from, before they are made."""
        return latent

    def forward(self, context: StepContext) -> Tensor | None:
        """Return a scalar to be weighted and added to the step's losses, or None."""
        return None

    def after_backward(self, network: nn.Module) -> None:
        """Edit the gradients of ``network`` in place before its optimiser steps."""

    def after_step(self, network: nn.Module) -> None:
        """Edit the parameters of ``network`` in place after its optimiser stepped."""


class LogitRegularizer(Regularizer):
    """Base of those that look at one logit of the discriminator.

    Args:
        weight: factor of the scalar; None for the ``paper_weight`` of the class.
        logit: which named output to read.
        reading: what of it, one of :data:`mmcgan.realness.READINGS`: "logit" as it is, all positions of a map
            summed where a gradient is taken; "real_minus_fake" for the last two columns of an omni score,
            "best_class_minus_fake" for class logits of which the last is "fake". The columns of such a score
            have gradients of opposite signs, whose sum says little.

    Raises:
        ValueError: there is no such reading.
    """

    allowed_on = ("discriminator",)
    paper_weight: ClassVar[float] = 1.0

    def __init__(
        self,
        on: str = "discriminator",
        weight: float | None = None,
        interval: int = 1,
        logit: str = "adv.logit",
        reading: str = "logit",
    ) -> None:
        super().__init__(on, self.paper_weight if weight is None else weight, interval)
        check_reading(reading, type(self).__name__)
        self.logit, self.reading, self.reads = logit, reading, (logit,)

    def realness(self, scores: Scores) -> Tensor:
        """Return what is read of the discriminator's outputs, (N,) or a map (N, ...)."""
        return READINGS[self.reading](scores[self.logit])


def build_regularizers(
    configs: Mapping[str, Mapping[str, Any]] | None, available: Sequence[str]
) -> dict[str, Regularizer]:
    """Build every regulariser of ``configs``.

    Raises:
        ValueError: one reads a named tensor that is not ``available``, or a setting is out of range.
    """
    built = {name: REGULARIZERS.build(dict(config)) for name, config in (configs or {}).items()}
    for name, regularizer in built.items():
        for source in (source for source in regularizer.reads if source not in available):
            hint = nearest(source, list(available))
            raise ValueError(f"regularizers.{name} reads {source!r}, which nothing emits.{hint}")
    return built


def weighted_terms(regularizers: Mapping[str, Regularizer], context: StepContext) -> dict[str, Tensor]:
    """Return the scalars of ``regularizers`` by name, times weight and interval."""
    given = {True: context, False: context.in_step_precision()}
    values = {name: (each, each(given[each.full_precision])) for name, each in regularizers.items()}
    acting = {name: pair for name, pair in values.items() if pair[1] is not None}
    for each, value in acting.values():
        check_scalar(each, "forward", value)
    return {name: each.weight * each.interval * value for name, (each, value) in acting.items()}
