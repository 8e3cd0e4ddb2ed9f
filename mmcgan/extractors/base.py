"""What an extractor is: a frozen network from uint8 images to features and logits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from mmcgan.contracts import Contract, Value, whole_number
from mmcgan.extractors.resizing import RESIZE_RULES
from mmcgan.precision import Precision, autocast, check_network_precision, resolve
from mmcgan.returned import refuse


@dataclass(frozen=True)
class ExtractorOutput:
    """What one extractor pass yields.

    Attributes:
        features: float32 (N, F).
        logits: float32 (N, C), or None when the extractor classifies nothing.
        spatial: float32 (N, S), a flattened intermediate feature map (spatial FID: the first seven
            channels of Inception's mixed_6 layers), or None.
        image: the uint8 images (N, 3, H, W) themselves, for metrics that look at pixels.
        label_map: the class seen in every pixel, int64 (N, H, W), or None.
    """

    features: Tensor
    logits: Tensor | None = None
    spatial: Tensor | None = None
    image: Tensor | None = None
    label_map: Tensor | None = None


@dataclass(frozen=True)
class Preprocessing:
    """How an extractor wants its images.

    Attributes:
        image_size: side of the square input in pixels.
        resize: a key of :data:`RESIZE_RULES`; images that have the size already are left alone.
        mean, std: per channel, of images in [0, 1].
    """

    image_size: int
    resize: str = "bilinear-antialias"
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)

    def __post_init__(self) -> None:
        if not isinstance(self.image_size, int) or self.image_size < 1:
            raise ValueError(f"image_size={self.image_size!r}: expected a number of pixels")
        if self.resize not in RESIZE_RULES:
            raise ValueError(f"resize={self.resize!r}: choose one of {', '.join(RESIZE_RULES)}")

    def __call__(self, image: Tensor) -> Tensor:
        """Return ``image`` uint8 (N, 3, H, W) as normalised float32 (N, 3, size, size)."""
        pixels = image.float()
        if pixels.shape[-2:] != (self.image_size, self.image_size):
            pixels = RESIZE_RULES[self.resize](pixels, self.image_size)
        mean = pixels.new_tensor(self.mean).view(1, -1, 1, 1)
        std = pixels.new_tensor(self.std).view(1, -1, 1, 1)
        return (pixels / 255 - mean) / std

    def differentiable(self, image: Tensor, size: int | None = None, resize: str | None = None) -> Tensor:
        """Return float images (N, 3, H, W) in [-1, 1] as normalised (N, 3, size, size), with gradients.

        Nothing is rounded or limited: what leaves [-1, 1] keeps its gradient.

        Args:
            image: as above; its type is kept.
            size: side of the result; None for the extractor's own. Images of that size are not resized.
            resize: a key of :data:`RESIZE_RULES`; None for the extractor's own.

        Raises:
            ValueError: no such rule.
        """
        side, rule = size or self.image_size, resize or self.resize
        if rule not in RESIZE_RULES:
            raise ValueError(f"resize={rule!r}: choose one of {', '.join(RESIZE_RULES)}")
        if image.shape[-2:] != (side, side):
            image = RESIZE_RULES[rule].linear(image, side)
        if {*self.mean, *self.std} == {0.5}:
            return image
        mean = image.new_tensor(self.mean).view(1, -1, 1, 1)
        std = image.new_tensor(self.std).view(1, -1, 1, 1)
        return ((image + 1) / 2 - mean) / std


def check_images(image: Tensor) -> None:
    """Refuse anything but uint8 images (N, 3, H, W).

    Raises:
        TypeError: not uint8; the message says how to convert.
        ValueError: not a batch of three-channel images.
    """
    if image.dtype != torch.uint8:
        raise TypeError(
            f"an extractor takes uint8 images in 0..255, got {image.dtype}; "
            "convert generated images in [-1, 1] with mmcgan.extractors.quantize"
        )
    if image.ndim != 4 or image.shape[1] != 3:
        raise ValueError(f"an extractor takes images of shape (N, 3, H, W), got {tuple(image.shape)}")


def quantize(image: Tensor) -> Tensor:
    """Return float images in [-1, 1] as uint8 in 0..255, rounding halves up and clipping.

    The rule of the peers: BigGAN's and StyleGAN's ``x * 127.5 + 128`` and StudioGAN's
    ``255 * (x + 1) / 2 + 0.5``, both truncated, are the same number.

    Raises:
        ValueError: NaN, which would otherwise become an arbitrary pixel.
    """
    if torch.isnan(image).any():
        bad = int(torch.isnan(image).flatten(1).any(dim=1).sum())
        raise ValueError(f"{bad} of {len(image)} generated images contain NaN")
    return (image.float() * 127.5 + 128).clamp(0, 255).to(torch.uint8)


def check_finite(output: ExtractorOutput, extractor: str) -> None:
    """Refuse NaN and infinite features or logits.

    Raises:
        ValueError: says how many images of the batch are affected, and the first.
    """
    for name, values in (("features", output.features), ("logits", output.logits)):
        if values is not None and not torch.isfinite(values).all():
            bad = (~torch.isfinite(values)).any(dim=1).nonzero().flatten()
            raise ValueError(
                f"{name} of {len(bad)} of {len(values)} images of a batch are NaN or infinite (the first is "
                f"image {int(bad[0])} of it); the extractor {extractor!r} or its weights are faulty"
            )


class Extractor(nn.Module):
    """Base of all extractors: frozen, always in eval mode, resizes and normalises by itself.

    A subclass builds its network, then calls :meth:`freeze`, and writes :meth:`encode`.

    Attributes:
        name: what figures computed with it are labelled with.
        feature_dim: F.
        num_classes: C, or None without logits.
        spatial_dim: S, 0 without spatial features.
        pixel_classes: number of classes of pixels, or None without label maps.
        classes: names of the classes, empty if unknown.
        groups: an :class:`~mmcgan.attributes.AttributeGroups` of a classifier of attributes, else None.
        preprocessing: size, resize rule and normalisation of the input.
        short_names: name on command lines -> settings.
        file_names: name that a file follows on command lines (``NAME:FILE``) -> settings beside ``weights``.
        weight_kind: kind of shipped weights (:func:`mmcgan.weights.read_index`) that it is built from.
        file_format: how the ``format`` in the metadata of its own files starts; empty for none.
    """

    contract: ClassVar[Contract] = Contract(
        "extractor",
        "docs/extending/extractor.md",
        methods={"encode": "normalised images (N, 3, size, size) -> an ExtractorOutput"},
        values={
            "name": Value("a name", lambda value: isinstance(value, str) and bool(value)),
            "feature_dim": Value(
                "a whole number above 0, the length of its features",
                lambda value: whole_number(value) and value > 0,
            ),
        },
    )

    groups: Any = None
    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    file_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    weight_kind: ClassVar[str] = ""
    file_format: ClassVar[str] = ""

    @classmethod
    def takes_record(cls, record: Mapping[str, Any]) -> bool:
        """Return whether a file of ``file_format`` with this record is for this class, of several."""
        return True

    def __init__(self, name: str, preprocessing: Preprocessing, precision: Precision = "float32") -> None:
        """Check the settings.

        Args:
            name: what figures computed with it are labelled with.
            preprocessing: size, resize rule and normalisation of the input.
            precision: ``float32``, ``bfloat16`` (autocast), or ``auto`` for what is fast where the
                network is.

        Raises:
            ValueError: another precision.
        """
        super().__init__()
        check_network_precision(precision)
        self.name = name
        self.preprocessing = preprocessing
        self._precision: str = precision
        self.feature_dim = 0
        self.num_classes: int | None = None
        self.spatial_dim = 0
        self.pixel_classes: int | None = None
        self.classes: Sequence[str] = ()
        self._weights_hash: str | None = None

    @property
    def precision(self) -> str:
        """What it computes in, ``float32`` or ``bfloat16``."""
        return resolve(self._precision, self.device)

    @precision.setter
    def precision(self, precision: str) -> None:
        check_network_precision(precision)
        self._precision = precision

    @property
    def device(self) -> torch.device:
        """Where its weights are; the CPU for an extractor without weights."""
        tensor = next(chain(self.parameters(), self.buffers()), None)
        return torch.device("cpu") if tensor is None else tensor.device

    def encode(self, pixels: Tensor) -> ExtractorOutput:
        """Return features and logits of normalised images (N, 3, size, size)."""
        raise NotImplementedError

    def feature_maps(self, pixels: Tensor) -> list[Tensor]:
        """Return maps (N, C_i, h_i, w_i) of normalised images, the finest first, with gradients.

        What projected discriminators look at (:class:`mmcgan.models.backbones.ProjectedBackbone`); an
        extractor without maps does not write this method.
        """
        raise NotImplementedError

    def freeze(self) -> None:
        """Stop gradients, enter eval mode and lay kernels out channels-last, which runs faster."""
        self.requires_grad_(False).eval()
        self.to(memory_format=torch.channels_last)

    def train(self, mode: bool = True) -> Extractor:
        """Stay in eval mode whatever is asked: batch statistics must never move."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, image: Tensor) -> ExtractorOutput:
        """Return float32 features and logits of ``image`` uint8 (N, 3, H, W).

        Raises:
            TypeError: the images are not uint8.
            ValueError: not a batch of three-channel images.
        """
        check_images(image)
        pixels = self.preprocessing(image).contiguous(memory_format=torch.channels_last)
        with autocast(self.precision, pixels.device):
            output = self.encode(pixels)
        self._check_output(output, len(image))
        logits = None if output.logits is None else output.logits.float()
        spatial = None if output.spatial is None else output.spatial.float()
        return ExtractorOutput(output.features.float(), logits, spatial, image, output.label_map)

    def _check_output(self, output: Any, rows: int) -> None:
        """Refuse what is no output of this extractor.

        Raises:
            ContractError: another type, or features of another shape than ``feature_dim`` says.
        """
        if not isinstance(output, ExtractorOutput):
            refuse(self, "encode", output, "an ExtractorOutput")
        features, logits = output.features, output.logits
        if not isinstance(features, Tensor) or tuple(features.shape) != (rows, self.feature_dim):
            refuse(self, "encode", features, f"features ({rows}, feature_dim={self.feature_dim})")
        if logits is not None and (logits.ndim != 2 or len(logits) != rows):
            refuse(self, "encode", logits, f"logits ({rows}, classes)")

    @property
    def weights_hash(self) -> str:
        """SHA-256 over names, shapes and values of all weights."""
        if self._weights_hash is None:
            self._weights_hash = state_hash(self.state_dict())
        return self._weights_hash

    def describe(self) -> dict[str, Any]:
        """Return everything that decides this extractor's numbers, as JSON types."""
        return {
            "name": self.name,
            "weights_sha256": self.weights_hash,
            "feature_dim": self.feature_dim,
            "num_classes": self.num_classes,
            "image_size": self.preprocessing.image_size,
            "resize": self.preprocessing.resize,
            "mean": list(self.preprocessing.mean),
            "std": list(self.preprocessing.std),
            "precision": self.precision,
        }


def state_hash(state: dict[str, Tensor]) -> str:
    """Return the SHA-256 of a state dict, independent of key order, device and memory layout."""
    digest = hashlib.sha256()
    for key in sorted(state):
        value = state[key].detach().cpu().contiguous()
        digest.update(f"{key} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
