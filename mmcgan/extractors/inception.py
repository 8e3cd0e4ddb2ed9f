"""The Inception networks over which published FIDs and Inception Scores are computed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from mmcgan.checkpoints.files import load_weights
from mmcgan.checkpoints.hashing import WHOLE, file_hash, is_hash
from mmcgan.extractors.base import Extractor, ExtractorOutput, Preprocessing, check_images
from mmcgan.extractors.timm_extractor import read_state
from mmcgan.extractors.weight_files import check_sha256, find_known
from mmcgan.precision import Precision
from mmcgan.registry import EXTRACTORS

FEATURES, CLASSES, SIZE = 2048, 1008, 299
# TensorFlow's mixed_6/conv, of which spatial FID takes seven channels of 17 x 17 (Nash et al. 2021)
SPATIAL_LAYER, SPATIAL_CHANNELS, SPATIAL = "Mixed_6d", 7, 7 * 17 * 17
# (x - 128) / 128, as the TensorFlow graph does; StudioGAN and pytorch-fid use 127.5.
NORMALIZATIONS = {"tf": 128 / 255, "half": 0.5}


def inception_layers() -> nn.Sequential:
    """Return the layers of the 2015 TensorFlow Inception up to its pooled features (N, 2048, 1, 1).

    The blocks are torch-fidelity's, whose branches pool as TensorFlow does; weights are random. Its own
    class is not used, because it reads files with a loader that can execute code.

    Raises:
        ImportError: torch-fidelity is not installed; says how to install it.
    """
    try:
        from torch_fidelity import feature_extractor_inceptionv3 as source
    except ImportError as error:
        raise ImportError(
            "InceptionV3 needs torch-fidelity for its architecture: pip install mmcgan[metrics]"
        ) from error
    conv = source.BasicConv2d
    layers = OrderedDict(
        Conv2d_1a_3x3=conv(3, 32, kernel_size=3, stride=2),
        Conv2d_2a_3x3=conv(32, 32, kernel_size=3),
        Conv2d_2b_3x3=conv(32, 64, kernel_size=3, padding=1),
        MaxPool_1=nn.MaxPool2d(3, stride=2),
        Conv2d_3b_1x1=conv(64, 80, kernel_size=1),
        Conv2d_4a_3x3=conv(80, 192, kernel_size=3),
        MaxPool_2=nn.MaxPool2d(3, stride=2),
        Mixed_5b=source.InceptionA(192, pool_features=32),
        Mixed_5c=source.InceptionA(256, pool_features=64),
        Mixed_5d=source.InceptionA(288, pool_features=64),
        Mixed_6a=source.InceptionB(288),
        **{
            f"Mixed_6{letter}": source.InceptionC(768, channels_7x7=width)
            for letter, width in zip("bcde", (128, 160, 160, 192), strict=True)
        },
        Mixed_7a=source.InceptionD(768),
        Mixed_7b=source.InceptionE_1(1280),
        Mixed_7c=source.InceptionE_2(2048),
        AvgPool=nn.AdaptiveAvgPool2d(1),
    )
    return nn.Sequential(layers)


class _InceptionNetwork(nn.Module):
    """Pooled features and a map of few channels, with the parameter names of the weight files."""

    def __init__(self) -> None:
        super().__init__()
        for name, layer in inception_layers().named_children():
            self.add_module(name, layer)
        self.fc = nn.Linear(FEATURES, CLASSES)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (N, 2048) and spatial features (N, 2023) of normalised images."""
        spatial = pixels
        for name, layer in self.named_children():
            if name != "fc":
                pixels = layer(pixels)
            if name == SPATIAL_LAYER:
                spatial = pixels[:, :SPATIAL_CHANNELS]
        return pixels.flatten(1), spatial.flatten(1)


@EXTRACTORS.register_module()
class InceptionV3(Extractor):
    """The Inception network of FID (Heusel et al. 2017) with the weights of torch-fidelity/pytorch-fid.

    Args:
        weights: path of ``weights-inception-2015-12-05-6726825d.pth`` (torch-fidelity) or
            ``pt_inception-...`` (pytorch-fid), the same file; None looks in the user's cache.
            ``random`` gives random weights, whose figures mean nothing: for tests only.
        resize: a key of ``RESIZE_RULES``; ``tf-bilinear`` is that of the TensorFlow graph.
        normalization: ``tf``, (x - 128) / 128, or ``half``, (x - 127.5) / 127.5.
        output_bias: add the bias to the logits; the original Inception Score does not.
        precision: ``float32``, ``bfloat16`` or ``auto`` (what is fast where the network is).

    Raises:
        FileNotFoundError: no weights; says which file, from where, with which hash.
        ImportError: torch-fidelity is not installed.
        ValueError: a damaged file or an unknown option.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"inception": {}}
    disk_arguments = ("weights",)

    def __init__(
        self,
        weights: str | None = None,
        *,
        resize: str = "tf-bilinear",
        normalization: str = "tf",
        output_bias: bool = False,
        precision: Precision = "float32",
    ) -> None:
        if normalization not in NORMALIZATIONS:
            raise ValueError(
                f"InceptionV3: normalization={normalization!r}: choose one of {', '.join(NORMALIZATIONS)}"
            )
        path = None if weights == "random" else find_known("fid-inception", weights, "InceptionV3")
        centre = (NORMALIZATIONS[normalization],) * 3
        name = "inception-v3-2015" if path else "inception-v3-random"
        super().__init__(name, Preprocessing(SIZE, resize, centre, centre), precision)
        self.network = _InceptionNetwork()
        if path is not None:
            state = {**_counters(self.network), **read_state(path)}
            load_weights(self.network, state, str(path))
        self.output_bias = output_bias
        self.feature_dim, self.num_classes, self.spatial_dim = FEATURES, CLASSES, SPATIAL
        self.freeze()

    def encode(self, pixels: Tensor) -> ExtractorOutput:
        """Return pooled features (N, 2048), logits (N, 1008) and spatial features (N, 2023)."""
        features, spatial = self.network(pixels)
        bias = self.network.fc.bias if self.output_bias else None
        logits = nn.functional.linear(features, self.network.fc.weight, bias)
        return ExtractorOutput(features, logits, spatial)

    def describe(self) -> dict[str, Any]:
        """Return everything that decides this extractor's numbers, as JSON types."""
        return {**super().describe(), "output_bias": self.output_bias}


def _counters(network: nn.Module) -> dict[str, Tensor]:
    """Return the batch counters, which some files leave out and evaluation does not use."""
    return {key: value for key, value in network.state_dict().items() if key.endswith("batches_tracked")}


@EXTRACTORS.register_module()
class TeroInception(Extractor):
    """The same network as NVIDIA's TorchScript file, which resizes by itself (TensorFlow's rule).

    A TorchScript file is a program. It is run only if its SHA-256 is the published one, or the one that
    ``sha256`` says you trust.

    Args:
        weights: path of ``inception-2015-12-05.pt``; None looks in the user's cache.
        resize: None leaves it to the file; a key of ``RESIZE_RULES`` resizes to 299 before.
        output_bias: add the bias to the logits; the original Inception Score does not.
        sha256: of another TorchScript file of the same interface that you trust.

    Raises:
        FileNotFoundError: no such file; says from where, with which hash.
        ValueError: the file has another hash: it is not executed.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"tero-inception": {}}
    disk_arguments = ("weights",)
    user_arguments = ("sha256",)

    def __init__(
        self,
        weights: str | None = None,
        *,
        resize: str | None = None,
        output_bias: bool = False,
        sha256: str | None = None,
    ) -> None:
        path = _trusted(weights, sha256)
        raw = Preprocessing(SIZE, resize or "tf-bilinear", (0.0,) * 3, (1 / 255,) * 3)
        super().__init__("inception-v3-2015-torchscript", raw)
        self.file_hash = file_hash(path)
        self.network = torch.jit.load(path, map_location="cpu")
        self.resize_before = resize is not None
        self.output_bias = output_bias
        self.feature_dim, self.num_classes = FEATURES, CLASSES
        self.requires_grad_(False).eval()

    @torch.no_grad()
    def forward(self, image: Tensor) -> ExtractorOutput:
        """Return float32 features (N, 2048) and logits (N, 1008) of ``image`` uint8 (N, 3, H, W).

        Raises:
            TypeError: the images are not uint8.
            ValueError: not a batch of three-channel images.
        """
        check_images(image)
        # Values stay in 0..255: the file normalises. At 299 x 299 its own resizing changes nothing.
        output = self.encode(self.preprocessing(image) if self.resize_before else image)
        return replace(output, image=image)

    def encode(self, pixels: Tensor) -> ExtractorOutput:
        """Return features (N, 2048) and logits (N, 1008) of images in 0..255, (N, 3, H, W)."""
        features = self.network(pixels, return_features=True).float()
        output: Any = self.network.output
        bias = output.bias if self.output_bias else None
        return ExtractorOutput(features, nn.functional.linear(features, output.weight, bias))

    @property
    def weights_hash(self) -> str:
        """SHA-256 of the file: its program decides the numbers too."""
        return self.file_hash

    def describe(self) -> dict[str, Any]:
        """Return everything that decides this extractor's numbers, as JSON types."""
        inside = {} if self.resize_before else {"resize": "by the file"}
        return {**super().describe(), **inside, "output_bias": self.output_bias}


def _trusted(weights: str | None, sha256: str | None) -> Path:
    """Return the TorchScript file if its hash is one that is trusted."""
    if sha256 is None:
        return find_known("tero-inception", weights, "TeroInception")
    if not is_hash(sha256, fewest=WHOLE):
        raise ValueError(f"TeroInception: sha256 must have 64 hexadecimal digits, got {sha256!r}")
    if weights is None or not Path(weights).expanduser().is_file():
        raise FileNotFoundError(f"TeroInception: weights={weights!r} is no file")
    check_sha256(Path(weights).expanduser(), sha256.lower(), "TeroInception")
    return Path(weights).expanduser()


@EXTRACTORS.register_module()
class TorchvisionInception(Extractor):
    """torchvision's Inception-V3, trained on ImageNet's 1,000 classes (StudioGAN's InceptionV3_torch).

    Args:
        weights: path of ``inception_v3_google-0cc3c7bd.pth``; None looks in the user's cache.
        resize: a key of ``RESIZE_RULES``; ``pil-lanczos`` is StudioGAN's "friendly".
        precision: ``float32``, ``bfloat16`` or ``auto`` (what is fast where the network is).

    Raises:
        FileNotFoundError: no weights; says which file, from where.
        ValueError: a damaged or another file.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"torchvision-inception": {}}
    disk_arguments = ("weights",)

    def __init__(
        self,
        weights: str | None = None,
        *,
        resize: str = "pil-lanczos",
        precision: Precision = "float32",
    ) -> None:
        path = find_known("torchvision-inception", weights, "TorchvisionInception")
        # The published network was trained on (x - 127.5) / 127.5; torchvision's option
        # ``transform_input`` undoes the usual ImageNet normalisation for it.
        super().__init__("inception-v3-torchvision", Preprocessing(SIZE, resize), precision)
        self.network = torchvision_inception()
        load_weights(self.network, read_state(path), str(path))
        self.feature_dim, self.num_classes = FEATURES, 1000
        self.freeze()

    def encode(self, pixels: Tensor) -> ExtractorOutput:
        """Return pooled features (N, 2048) and logits (N, 1000)."""
        maps = pixels
        for name, layer in self.network.named_children():
            if name not in ("AuxLogits", "dropout", "fc"):
                maps = layer(maps)
        features = maps.flatten(1)
        return ExtractorOutput(features, self.network.fc(features))


def torchvision_inception() -> Any:
    """Return torchvision's network with random weights; inputs are not transformed in it."""
    from torchvision.models import inception_v3

    return inception_v3(weights=None, transform_input=False, init_weights=False)
