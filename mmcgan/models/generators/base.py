"""What a generator is: latents and conditions in, images out, and what else it says about itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Generator as RandomGenerator
from torch import Tensor, nn

from mmcgan.contracts import Contract, Emitting, Value, image_size, names, whole_number
from mmcgan.dtypes import at_least_float32
from mmcgan.image_shapes import ImageShapes
from mmcgan.models.layers.condition_weight import EmbedsCondition
from mmcgan.samplers.base import LatentSampler
from mmcgan.structures import Condition

LATENT, STYLE = "latent", "style"


@dataclass(frozen=True)
class FirstMap:
    """The linear map by which latents, or styles, enter a generator.

    Attributes:
        matrix: (outputs, D), with zeros for columns that it does not see.
        space: ``latent`` or ``style``.
    """

    matrix: Tensor
    space: str = LATENT


@dataclass(frozen=True)
class Stages:
    """The modules of a generator in the order in which an image is made.

    Attributes:
        blocks: each with what belongs to it, such as the attention behind it; what is in neither field is in
            front of the first.
        output: what makes colours of the last features.
        embedding: where conditions become vectors.
    """

    blocks: Sequence[Sequence[nn.Module]]
    output: Sequence[nn.Module] = ()
    embedding: Sequence[nn.Module] = ()


class Generator(Emitting, nn.Module):
    """Base of all generators.

    A subclass writes :meth:`embed` and :meth:`synthesize`, and has the attributes below, in its class or from
    its constructor. All else has a default.

    Attributes:
        image_size: side, or (height, width), of its images in pixels.
        latent_dim: length of z.
        num_classes: number of labels, 0 for none.
        requires: fields of the condition that must be there; ``()`` if unconditional.
        num_map_classes: number of classes of pixels, 0 without label maps.
        emits: names that losses find as ``latent.<name>``: the law of latents that :meth:`encode` draws.
        image_shapes: which images the class can make.
        truncates_latent: whether truncation narrows the latents.
        draws_with, draws_nothing_with: where :attr:`draws_inside` depends on a setting, the one by which it
            is true, as ``eval_noise='random'``, and what to set instead, as ``eval_noise=const, or none``.
        truncation_centres: what its truncation may move towards, by name.
        truncation_centre: the one that is chosen.
        has_truncation: whether :meth:`forward_truncated` does something of its own.
        latent_law: of the latents that it is given; a model sets it. None for N(0, I).
    """

    contract: ClassVar[Contract] = Contract(
        "generator",
        "docs/extending/generator.md",
        methods={
            "embed": "condition -> what conditions the layers, or None",
            "synthesize": "z and what `embed` returned -> images (N, 3, H, W) in [-1, 1]",
        },
        values={
            "image_size": Value("a side in pixels, or height and width", image_size),
            "latent_dim": Value("a whole number, the length of z", whole_number),
            "num_classes": Value("a whole number, 0 for no labels", whole_number),
            "requires": Value("a tuple of fields of the condition, () for none", names),
        },
    )

    image_size: Any
    latent_dim: int
    num_classes: int
    requires: tuple[str, ...]
    emits: tuple[str, ...] = ()
    num_map_classes: int = 0
    image_shapes: ClassVar[ImageShapes] = ImageShapes()
    truncates_latent: ClassVar[bool] = True
    draws_with: ClassVar[str] = ""
    draws_nothing_with: ClassVar[str] = ""
    has_truncation: ClassVar[bool] = False
    truncation_centres: ClassVar[tuple[str, ...]] = ()
    truncation_centre: str = "mean"
    latent_law: LatentSampler | None = None

    def draw_latents(self, n: int, source: RandomGenerator) -> Tensor:
        """Return further latents (n, latent_dim) of its law: for styles to mix in, or for their mean."""
        if self.latent_law is None:
            return torch.randn(n, self.latent_dim, generator=source)
        return self.latent_law.sample(n, source)

    @property
    def draws_inside(self) -> bool:
        """Whether images in evaluation depend on more random numbers than the latent."""
        return False

    @property
    def any_size(self) -> bool:
        """Whether ``size`` and ``window`` may be asked for (an implicit output layer)."""
        return False

    @property
    def full_size_channels(self) -> int:
        """Channels, over all layers, that ``any_size`` computes at the size of the image, for its memory."""
        return 0

    def size_of(self, field: str) -> int:
        """Return the size of a field of the condition: number of classes, length; 0 if it does not say.

        Asked where conditions are made up: to trace for an export, in checks. Said here of labels and label
        maps, and of what a :class:`~mmcgan.models.layers.condition_weight.EmbedsCondition` inside embeds.
        """
        inside = [part.sizes for part in self.modules() if isinstance(part, EmbedsCondition)]
        found = {name: size for sizes in inside for name, size in sizes.items()}
        return {**found, "label": self.num_classes, "label_map": self.num_map_classes}.get(field, 0)

    def embed(self, condition: Condition) -> Any:
        """Return what conditions the layers, one row for each of N conditions, or None.

        Raises:
            ValueError: a field that the generator was built for is absent or out of range.
        """
        raise NotImplementedError

    def synthesize(self, latent: Tensor, embedding: Any) -> Tensor:
        """Return images (N, 3, H, W) in [-1, 1] from z (N, latent_dim) and :meth:`embed`'s result."""
        raise NotImplementedError

    def synthesize_at(
        self, latent: Tensor, embedding: Any, size: Sequence[int], window: Sequence[int] | None = None
    ) -> Tensor:
        """Return images of another size, or parts of them, as :meth:`synthesize` does; asked if ``any_size``.

        Args:
            latent, embedding: as there.
            size: height and width of the whole image.
            window: top, left, height and width of the part to render.
        """
        raise ValueError(f"{type(self).__name__} makes images of one size only")

    def forward(self, latent: Tensor, condition: Condition) -> Tensor:
        """Return images (N, 3, H, W) in [-1, 1] from z (N, latent_dim) under ``condition``.

        Raises:
            ValueError: a field that the generator ``requires`` is absent; the message lists the present ones.
        """
        lacking = next((name for name in self.requires if condition.get(name) is None), None)
        if lacking is not None:
            present = list(condition.present()) or "nothing"
            raise ValueError(
                f"the generator needs condition.{lacking}, present: {present}; {type(self).__name__} "
                "requires it"
            )
        return self.synthesize(latent, self.embed(condition))

    # --- truncation -----------------------------------------------------------------------------

    def forward_truncated(self, latent: Tensor, condition: Condition, truncation: float) -> Tensor:
        """Return images as truncation at ``truncation`` has them; asked if ``has_truncation``."""
        return self(latent, condition)

    def truncated_statistics(self, truncation: float) -> AbstractContextManager[None]:
        """Use statistics kept for a truncation meanwhile, where there are any."""
        return nullcontext()

    # --- an encoder -----------------------------------------------------------------------------

    def encode(self, image: Tensor, noise: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return latents (N, latent_dim) of real images and their law by the names of ``emits``."""
        return noise, {}

    # --- its structure --------------------------------------------------------------------------

    def first_map(self) -> FirstMap:
        """Return the linear map that meets the latent first (SeFa).

        Raises:
            ValueError: the generator does not say.
        """
        raise ValueError(
            f"SeFa knows no first map of {type(self).__name__}: it does not define first_map(); see "
            f"{self.contract.page}"
        )

    def moved(self, latent: Tensor, condition: Condition, step: Tensor, space: str) -> Tensor:
        """Return images (N, 3, H, W) of one latent moved by N ``steps`` in the space of :meth:`first_map`.

        Args:
            latent: (1, D).
            condition: of one image.
            step: (N, D).
            space: ``latent`` or ``style``.
        """
        asked = condition.map(lambda value: value.expand(len(step), *value.shape[1:]))
        return self(latent + step, asked)

    def enter(self, latent: Tensor, condition: Condition) -> tuple[Tensor, Tensor]:
        """Return images and the points (N, D) or (N, L, D), with gradient, to take path lengths of."""
        point = latent.detach().requires_grad_()
        return at_least_float32(self.synthesize(point, self.embed(condition))), point

    def stages(self) -> Stages:
        """Return the generator's blocks in order (restoration tunes them from the first on).

        Raises:
            ValueError: the generator does not say.
        """
        raise ValueError(
            f"{type(self).__name__} does not define stages(), so that it cannot be tuned from its first "
            f"block on; generators such as BigGANGenerator can; see {self.contract.page}"
        )

    def norms(self) -> Mapping[str, tuple[nn.Module, str]]:
        """Return the conditional norms by name: the module each is in, and its attribute there."""
        return {}


def padded(weight: Tensor, latent_dim: int) -> Tensor:
    """Return ``weight`` (outputs, d) with columns of zeros for what it does not see."""
    return nn.functional.pad(weight, (0, latent_dim - weight.shape[1]))


def how_to_draw_nothing(drawing: Sequence[Generator], whole: Generator) -> str:
    """Return the rest of a sentence that refuses noise in an ONNX file: the setting, if one decides.

    Args:
        drawing: generators whose ``draws_inside`` is true, at least one.
        whole: the one that is asked for, of which they are parts.
    """
    part = next((each for each in drawing if each.draws_nothing_with), drawing[0])
    kind, cannot = type(part).__name__, "which an ONNX file cannot repeat"
    if not part.draws_nothing_with:
        return f", {cannot}: {kind} can be exported if its draws_inside is false"
    if part is whole:
        advice = f"export it with --cfg-options model.generator.{part.draws_nothing_with}"
    else:
        advice = f"set {part.draws_nothing_with}, of the {kind} inside"
    return f" ({part.draws_with}), {cannot}: {advice}"
