"""What a latent sampler and a condition sampler are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Generator, Tensor

from mmcgan.contracts import Contract, Emitting, Value, names, whole_number
from mmcgan.structures import Condition


class LatentSampler(Emitting):
    """Base of the distributions p(z).

    A subclass writes :meth:`sample`, takes ``latent_dim``, which the generator's fills in, and, if its
    latents can be truncated, writes :meth:`truncate`.

    Attributes:
        latent_dim: length of a latent.
        emits: names that losses find as ``latent.<name>`` (codes to be recognised).
        code_dim: columns at the end of a latent that are codes: no truncation and no move touches them.
    """

    contract: ClassVar[Contract] = Contract(
        "latent sampler",
        "docs/extending/latent_sampler.md",
        methods={"sample": "a number and a torch.Generator -> latents, float32 (n, latent_dim)"},
        values={
            "latent_dim": Value("a whole number, the length of a latent", whole_number),
            "emits": Value("a tuple of names, () for none", names),
            "code_dim": Value("a whole number, 0 for no codes", whole_number),
        },
    )

    emits: tuple[str, ...] = ()
    code_dim: int = 0

    def __init__(self, latent_dim: int) -> None:
        if latent_dim < 0:  # 0: a generator that is told all by its condition
            raise ValueError(f"latent_dim must not be negative, got {latent_dim}")
        self.latent_dim = latent_dim

    def sample(self, n: int, generator: Generator) -> Tensor:
        """Draw float32 (n, latent_dim)."""
        raise NotImplementedError

    def truncate(self, latent: Tensor, threshold: float, generator: Generator | None = None) -> Tensor:
        """Return ``latent`` (N, D), drawn from this law, as truncation at ``threshold`` has it.

        Args:
            latent: (N, D).
            threshold: greater than 0; larger ones change less, an infinite one nothing.
            generator: source of redrawn values; without one they are moved to the bounds.

        Raises:
            ValueError: the law has no truncation.
        """
        raise ValueError(
            f"{type(self).__name__} does not say what truncation means for its latents; leave truncation out"
        )

    def energy(self, latent: Tensor) -> Tensor:
        """Return -log p(z), up to a constant, of latents (N, D) without the columns of codes; differentiable.

        Rules that move latents towards what is likely ask for it (DDLS).

        Raises:
            ValueError: the law does not say its density.
        """
        raise ValueError(
            f"{type(self).__name__} does not say how likely its latents are: it defines no energy(), which "
            f"moving latents along the density needs; see {self.contract.page}"
        )

    def codes(self, latent: Tensor) -> dict[str, Tensor]:
        """Return the codes in ``latent`` (N, latent_dim) by the names of ``emits``."""
        return {}

    def with_codes(self, latent: Tensor, chosen: Mapping[str, Sequence[float | None]]) -> Tensor:
        """Return latents (N, latent_dim) whose codes are what was chosen, by the names of ``emits``.

        Raises:
            ValueError: the law has no codes, or not these.
        """
        raise ValueError(
            f"codes: latents of {type(self).__name__} have none; a law with codes (InfoGAN) has with_codes()"
        )


class ConditionSampler:
    """Base of what draws the conditions asked of the generator.

    A subclass writes :meth:`sample`.

    Attributes:
        groups: an :class:`~mmcgan.attributes.AttributeGroups`, if it draws attributes.
        num_classes: number of labels, 0 if it draws none.
        store: the instances that it draws from, None if it draws none.
    """

    contract: ClassVar[Contract] = Contract(
        "condition sampler",
        "docs/extending/condition_sampler.md",
        methods={"sample": "a number and a torch.Generator -> a Condition of n rows"},
        values={"num_classes": Value("a whole number, 0 for no labels", whole_number)},
    )

    groups: Any = None
    num_classes: int = 0
    store: Any = None

    def sample(self, n: int, generator: Generator) -> Condition:
        """Draw n conditions; all randomness comes from ``generator``."""
        raise NotImplementedError

    def from_real(self, condition: Condition) -> Condition | None:
        """Return what is asked for beside real images of ``condition``; None to let :meth:`sample` draw."""
        return None

    @property
    def number_of_instances(self) -> int:
        """How many instances it draws from, 0 if it draws none."""
        return 0
