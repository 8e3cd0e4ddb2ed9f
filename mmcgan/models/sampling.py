"""The half of a cGAN that its users keep: the generator, its average, and how to sample."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor

from mmcgan.contracts import check_object
from mmcgan.dtypes import at_least_float32
from mmcgan.models.generators.base import Generator
from mmcgan.models.latent_moves import move_latents
from mmcgan.models.layers.implicit_output import Size, Window
from mmcgan.registry import GENERATORS, MODELS, SAMPLERS
from mmcgan.returned import check_images
from mmcgan.samplers.base import LatentSampler
from mmcgan.samplers.default_law import latent_law
from mmcgan.samplers.latent import truncate_latent
from mmcgan.samplers.moves import LatentMove
from mmcgan.structures import Condition

Config = dict[str, Any]


def set_truncation_centre(generator: Generator, centre: str, name: str) -> None:
    """Choose what a generator's truncation moves its styles towards, of its ``truncation_centres``.

    Raises:
        ValueError: a generator without centres, or without this one.
    """
    known = generator.truncation_centres
    if centre not in known:
        has = f"moves towards {' or '.join(known)}" if known else "has no centre"
        raise ValueError(f"truncation centre {centre!r}: the truncation of {name} {has}")
    generator.truncation_centre = centre


class SamplingModel(BaseModel):
    """A generator, its moving average, and the distribution of its latents.

    Args:
        generator: config of a generator.
        latent_sampler: config of what draws z; ``latent_dim`` is filled from the generator.
        data_preprocessor: config of what turns loader batches into model inputs.
        ema: keep ``generator_ema``, which a hook averages and which samples and evaluates.
    """

    def __init__(
        self,
        generator: Config,
        latent_sampler: Config | None = None,
        data_preprocessor: Config | None = None,
        ema: bool = True,
    ) -> None:
        super().__init__(data_preprocessor=MODELS.build(data_preprocessor or {"type": "GANDataPreprocessor"}))
        self.generator: Generator = GENERATORS.build(generator)
        check_object(self.generator, Generator)
        self.generator_ema = deepcopy(self.generator).requires_grad_(False).eval() if ema else None
        latent = {"latent_dim": self.generator.latent_dim, **latent_law(latent_sampler)}
        self.latent_sampler: LatentSampler = SAMPLERS.build(latent)
        check_object(self.latent_sampler, LatentSampler)
        for network in filter(None, (self.generator, self.generator_ema)):
            network.latent_law = self.latent_sampler
        #: moves latents before they become samples; works on a model with a discriminator
        self.latent_move: LatentMove | None = None
        #: of evaluations, which draw truncated latents: what the generator is told, see :meth:`sample`
        self.truncation: float | None = None

    def use_seed(self, seed: int) -> None:
        """Draw everything random as the run's seed says, from now on; nothing is random here."""

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return self.data_preprocessor.device

    @torch.no_grad()
    def sample(
        self,
        condition: Condition,
        latent: Tensor | None = None,
        generator: torch.Generator | None = None,
        truncation: float | None = None,
        use_ema: bool = True,
        size: Size | None = None,
        window: Window | None = None,
        narrowed: bool = False,
    ) -> Tensor:
        """Return images (N, C, H, W) in [-1, 1] for the N rows of ``condition``.

        Args:
            condition: what the images are to show.
            latent: (N, latent_dim); drawn from ``generator`` if None.
            generator: source of the latent, and of the values that truncation redraws.
            truncation: the law of the latents says what it means: of normal ones, values outside
                [-truncation, truncation] are redrawn (BigGAN, Sec. 3.1); with a given latent and no generator
                they are clamped, as in MMagic. A generator may say otherwise (``truncates_latent``):
                StyleGAN2's takes it as psi.
            use_ema: sample from ``generator_ema`` where there is one.
            size, window: of the image, for a generator with an implicit output layer; see
                :class:`~mmcgan.models.layers.implicit_output.ImplicitOutput`.
            narrowed: the latent given is truncated already, as :func:`~mmcgan.samplers.drawing.draw_latents`
                does it; the generator alone is told the truncation.

        Raises:
            ValueError: neither latent nor generator is given, latents whose law has no truncation, or a size
                that cannot be made.
        """
        if latent is None:
            if generator is None:
                raise ValueError("sample() needs either latent or a torch.Generator to draw it from")
            latent = self.latent_sampler.sample(len(condition), generator)
        network = self.generator_ema if use_ema and self.generator_ema is not None else self.generator
        if truncation is not None and network.truncates_latent and not narrowed:
            latent = truncate_latent(self.latent_sampler, latent, truncation, generator)
        was_training = network.training
        network.eval()
        inputs = (latent.to(self.device), condition.to(self.device))
        if self.latent_move is not None:
            codes = self.latent_sampler.code_dim
            moved = move_latents(self.latent_move, network, self.discriminator, *inputs, codes)
            inputs = (moved, inputs[1])
        if size is not None:
            image = network(*inputs, size=size, window=window)
        elif truncation is not None and network.has_truncation:
            image = network.forward_truncated(*inputs, truncation)
        else:
            image = network(*inputs)
        network.train(was_training)
        check_images(network, "forward", image, len(latent), window[2:] if window else size)
        # not every generator ends in a tanh
        return at_least_float32(image).clamp(-1, 1)

    def val_step(self, data: Mapping[str, Tensor]) -> list[dict[str, Any]]:
        """Return ``[dict(image=..., condition=...)]`` for a batch of evaluation conditions and latents."""
        condition = self.data_preprocessor.condition(data)
        image = self.sample(condition, data["latent"], truncation=self.truncation, narrowed=True)
        return [{"image": image, "condition": condition}]

    def test_step(self, data: Mapping[str, Tensor]) -> list[dict[str, Any]]:
        """Return what :meth:`val_step` returns."""
        return self.val_step(data)

    def forward(self, latent: Tensor, condition: Condition) -> Tensor:
        """Return the images that :meth:`sample` returns, without truncation."""
        return self.sample(condition, latent)

    def train(self, mode: bool = True) -> SamplingModel:
        """Switch mode; the averaged generator always stays in evaluation mode."""
        super().train(mode)
        if self.generator_ema is not None:
            self.generator_ema.eval()
        return self
