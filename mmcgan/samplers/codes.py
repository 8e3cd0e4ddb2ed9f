"""Latents that carry codes to be recognised again in the image (InfoGAN)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from mmcgan.registry import SAMPLERS
from mmcgan.samplers.base import LatentSampler
from mmcgan.samplers.default_law import latent_law
from mmcgan.samplers.latent import truncate_latent
from mmcgan.suggestions import nearest

DISCRETE, CONTINUOUS = "discrete", "continuous"


@SAMPLERS.register_module()
class CodedLatent(LatentSampler):
    """Noise followed by one-hot categorical codes and continuous codes in [-1, 1) (InfoGAN, Sec. 5).

    The codes are the last ``codes * values + continuous`` columns of the latent. Losses may be wired
    to them as ``latent.discrete``, int64 (N, codes), and ``latent.continuous``, (N, continuous).

    Args:
        latent_dim: length of noise and codes together; that of the generator.
        codes: number of categorical codes, 0 for none.
        values: values of each of them.
        continuous: number of continuous codes, 0 for none.
        noise: config of the law of the noise.

    Raises:
        ValueError: no code at all, a categorical code with fewer than two values, or no room for noise.
    """

    #: the codes there may be; of an object, those there are
    emits: tuple[str, ...] = (DISCRETE, CONTINUOUS)

    def __init__(
        self,
        latent_dim: int,
        codes: int = 1,
        values: int = 10,
        continuous: int = 0,
        noise: dict[str, Any] | None = None,
    ) -> None:
        if min(codes, continuous) < 0 or not codes + continuous:
            raise ValueError(
                f"CodedLatent: needs codes or continuous above 0, got codes={codes}, continuous={continuous}"
            )
        if codes and values < 2:
            raise ValueError(f"CodedLatent: values must be at least 2, got {values}")
        self.codes_shape, self.continuous = (codes, values), continuous
        self.code_dim = codes * values + continuous
        self.emits = self.emits_with({"codes": codes, "continuous": continuous})
        if latent_dim <= self.code_dim:
            raise ValueError(
                f"CodedLatent: codes take {self.code_dim} columns, so latent_dim must be at least "
                f"{self.code_dim + 1}, got {latent_dim}"
            )
        super().__init__(latent_dim)
        rest = latent_dim - self.code_dim
        self.noise = SAMPLERS.build({"latent_dim": rest, **latent_law(noise)})

    @classmethod
    def emits_with(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the codes that a law of these settings has, ``discrete`` and/or ``continuous``."""
        present = {DISCRETE: settings.get("codes", 1), CONTINUOUS: settings.get("continuous", 0)}
        return tuple(name for name, number in present.items() if number)

    def sample(self, n: int, generator: Generator) -> Tensor:
        """Draw float32 (n, latent_dim)."""
        codes, values = self.codes_shape
        device = generator.device
        parts = [self.noise.sample(n, generator)]
        if codes:
            drawn = torch.randint(values, (n, codes), generator=generator, device=device)
            parts.append(F.one_hot(drawn, values).flatten(1).float())
        if self.continuous:
            uniform = torch.rand(n, self.continuous, generator=generator, device=device)
            parts.append(2 * uniform - 1)
        return torch.cat(parts, dim=1)

    def energy(self, latent: Tensor) -> Tensor:
        """Return that of the noise, whose columns ``latent`` has."""
        return cast(Tensor, self.noise.energy(latent))

    def truncate(self, latent: Tensor, threshold: float, generator: Generator | None = None) -> Tensor:
        """Return latents whose noise is truncated by its own law; codes stay as they are.

        Raises:
            ValueError: the law of the noise has no truncation.
        """
        noise, codes = latent.split([self.latent_dim - self.code_dim, self.code_dim], dim=1)
        return torch.cat([truncate_latent(self.noise, noise, threshold, generator), codes], dim=1)

    def codes(self, latent: Tensor) -> dict[str, Tensor]:
        """Return the codes in ``latent`` (N, latent_dim) by name."""
        codes, values = self.codes_shape
        start = self.latent_dim - self.code_dim
        middle = start + codes * values
        found = {}
        if codes:
            found[DISCRETE] = latent[:, start:middle].unflatten(1, self.codes_shape).argmax(2)
        if self.continuous:
            found[CONTINUOUS] = latent[:, middle:].detach()
        return found

    def with_codes(self, latent: Tensor, chosen: Mapping[str, Sequence[float | None]]) -> Tensor:
        """Return latents (N, latent_dim) whose codes are what was chosen.

        Args:
            latent: drawn from this law.
            chosen: ``discrete`` -> an integer for each categorical code, ``continuous`` -> a number in
                [-1, 1] for each continuous one; None leaves a code as it was drawn.

        Raises:
            ValueError: a code that there is not, another number of values, or one out of range.
        """
        latent = latent.clone()
        codes, values = self.codes_shape
        start = self.latent_dim - self.code_dim
        for name, given in chosen.items():
            count = {DISCRETE: codes, CONTINUOUS: self.continuous}.get(name, 0)
            if not count:
                raise ValueError(f"codes: there is no code {name!r}.{nearest(name, self.emits)}")
            if len(given) != count:
                raise ValueError(f"codes: {name} takes {count} values, got {len(given)}")
            for place, value in enumerate(given):
                if value is None:
                    continue
                if name == CONTINUOUS:
                    _check_code(name, value, -1 <= value <= 1, "a number in -1..1")
                    latent[:, start + codes * values + place] = value
                    continue
                good = 0 <= value < values and value == int(value)
                _check_code(name, value, good, f"a whole number in 0..{values - 1}")
                first = start + place * values
                latent[:, first : first + values] = 0.0
                latent[:, first + int(value)] = 1.0
        return latent


def _check_code(name: str, value: float, good: bool, wanted: str) -> None:
    if not good:
        raise ValueError(f"codes: a value of {name} must be {wanted}, got {value:g}")


def code_names(sampler: LatentSampler) -> list[str]:
    """Return the named tensors, ``latent.<code>``, that latents of ``sampler`` carry."""
    return [f"latent.{name}" for name in sampler.emits]


def latent_codes(sampler: LatentSampler, latent: Tensor | None) -> dict[str, Tensor]:
    """Return the codes of ``latent`` under the names of :func:`code_names`; none for real images."""
    if latent is None:
        return {}
    return {f"latent.{name}": code for name, code in sampler.codes(latent).items()}
