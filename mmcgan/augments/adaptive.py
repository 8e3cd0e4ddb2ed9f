"""How strongly to augment, learned from how sure the discriminator is of real images."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.dist import get_world_size
from torch import Tensor, nn

from mmcgan.augments.base import Augment, Scores
from mmcgan.distributed import average_buffers
from mmcgan.realness import READINGS, check_reading
from mmcgan.suggestions import nearest

AGAINST = ("zero", "fake")


class AdaptiveProbability(nn.Module):
    """A probability that rises while the discriminator is too sure of real images, else falls.

    ADA (Karras et al. 2020, Sec. 3.1): r = E[sign D(real)] over the last ``interval``
    mini-batches; p moves by (images seen) / (1000 * kimg) towards r = ``target``.

    Args:
        initial: where p begins, in [0, 1].
        logit: named tensor to watch.
        reading: how its sign is taken, one of ``READINGS``: "logit" as it is; "real_minus_fake"
            for the last two columns of an omni score; "best_class_minus_fake" for class logits
            of which the last is "fake".
        against: "zero", or "fake" to compare the i-th real with the i-th generated image, for
            losses under which a logit has no meaning by itself (relativistic, Wasserstein).
        target: the r to keep, in [-1, 1].
        kimg: thousands of images in which p can go from 0 to 1, positive.
        interval: mini-batches between two adjustments.

    Attributes:
        p: the probability, scalar buffer.
        overfitting: r at the last adjustment, scalar buffer.

    Raises:
        ValueError: a setting is out of range or unknown.
    """

    p: Tensor
    overfitting: Tensor
    signs: Tensor
    images: Tensor

    def __init__(
        self,
        initial: float = 0.0,
        logit: str = "adv.logit",
        reading: str = "logit",
        against: str = "zero",
        target: float = 0.6,
        kimg: float = 500.0,
        interval: int = 4,
    ) -> None:
        super().__init__()
        check_probability("p", initial)
        check_reading(reading, "adapt")
        if against not in AGAINST:
            raise ValueError(f"adapt: against={against!r} is not possible; allowed: {list(AGAINST)}")
        if not -1 <= target <= 1:
            raise ValueError(f"adapt: target must lie in [-1, 1], got {target}")
        if kimg <= 0 or interval < 1:
            raise ValueError(
                f"adapt: kimg must be positive and interval at least 1, got kimg={kimg}, interval={interval}"
            )
        self.logit, self.reading, self.against = logit, reading, against
        self.target, self.kimg, self.interval = target, kimg, interval
        self.waiting = 0
        # Sums since the last adjustment. They may be averaged over ranks at any time: only their
        # ratio and the average number of images are used.
        for name, value in {"p": initial, "overfitting": 0.0, "signs": 0.0, "images": 0.0}.items():
            self.register_buffer(name, torch.tensor(value))

    @torch.no_grad()
    def observe(self, real: Scores, fake: Scores) -> None:
        """Count the signs of one mini-batch; every ``interval``-th time, adjust p.

        Args:
            real: the discriminator's named outputs for what was shown as real.
            fake: the same for generated images.
        """
        sure = READINGS[self.reading](real[self.logit])
        if self.against == "fake":
            sure = sure - READINGS[self.reading](fake[self.logit])
        # a patch counts as a part of its image
        self.signs += sure.sign().flatten(1).mean(1).sum() if sure.dim() > 1 else sure.sign().sum()
        self.images += len(sure)
        self.waiting += 1
        if self.waiting == self.interval:
            self.adjust()

    @torch.no_grad()
    def adjust(self) -> Tensor:
        """Move p by what was counted since the last time, over all ranks; start to count anew.

        Returns:
            By how much p was to move before it was clipped to [0, 1].
        """
        average_buffers(self)
        self.overfitting.copy_(self.signs / self.images)
        size = self.images * get_world_size() / (1000 * self.kimg)
        step = (self.overfitting - self.target).sign() * size
        self.p.add_(step).clamp_(0, 1)
        self.signs.zero_()
        self.images.zero_()
        self.waiting = 0
        return step

    def report(self, name: str) -> dict[str, Tensor]:
        """Return p and the overfitting last measured, under names that begin with ``name``."""
        return {f"{name}_p": self.p.clone(), f"{name}_overfitting": self.overfitting.clone()}

    def get_extra_state(self) -> Tensor:
        """Return the mini-batches counted since the last adjustment, for the checkpoint."""
        return torch.tensor(self.waiting)

    def set_extra_state(self, state: Tensor) -> None:
        """Restore :meth:`get_extra_state`."""
        self.waiting = int(state)


class FixedProbability(nn.Module):
    """A probability that stays what the config says, also when an older checkpoint is loaded.

    Args:
        p: in [0, 1].

    Raises:
        ValueError: ``p`` is out of range.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        check_probability("p", p)
        self.p = torch.tensor(float(p))

    def observe(self, real: Scores, fake: Scores) -> None:
        """Ignore the discriminator."""

    def report(self, name: str) -> dict[str, Tensor]:
        """Return nothing: what never changes need not be logged."""
        return {}


def check_probability(name: str, value: float) -> None:
    """Raise a ValueError unless ``value`` lies in [0, 1]."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must lie in [0, 1], got {value}")


DEFAULT_LOGIT: str = inspect.signature(AdaptiveProbability).parameters["logit"].default


def watched(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the named tensors that the probability of an augmentation's ``config`` watches."""
    adapt = config.get("adapt")
    if adapt is None and config.get("p") is not None:
        return ()
    return (str((adapt or {}).get("logit", DEFAULT_LOGIT)),)


def build_probability(
    p: float | None, adapt: Mapping[str, Any] | None
) -> AdaptiveProbability | FixedProbability:
    """Return an adaptive probability, or a fixed one if there is ``p`` and no ``adapt``.

    Args:
        p: where it begins, or stays.
        adapt: arguments of :class:`AdaptiveProbability` but ``initial``.

    Raises:
        ValueError: a setting is unknown or out of range.
    """
    if p is not None and adapt is None:
        return FixedProbability(p)
    known = [name for name in inspect.signature(AdaptiveProbability).parameters if name != "initial"]
    for name in adapt or {}:
        if name not in known:
            raise ValueError(f"adapt takes no {name!r}.{nearest(name, known)}")
    return AdaptiveProbability(p or 0.0, **(adapt or {}))


class AdaptiveAugment(Augment):
    """Base of augmentations that act with a probability that may adapt; figures carry the class's name."""

    probability: AdaptiveProbability | FixedProbability

    @classmethod
    def reads_with(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the logit by which p adapts, unless p is fixed."""
        return watched(settings)

    def observe(self, real: Scores, fake: Scores) -> None:
        """Let p adapt."""
        self.probability.observe(real, fake)

    def report(self) -> dict[str, Tensor]:
        """Return p and the measured overfitting."""
        return self.probability.report(type(self).__name__.lower())
