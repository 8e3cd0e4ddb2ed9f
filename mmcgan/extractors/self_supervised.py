"""Networks that learnt without labels: features that no classifier's classes have shaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mmcgan.extractors.timm_extractor import TimmExtractor
from mmcgan.extractors.weight_files import find_known
from mmcgan.precision import Precision
from mmcgan.registry import EXTRACTORS

DINO_MODELS = {"vit-s8": ("dino-vits8", "vit_small_patch8_224"), "resnet50": ("dino-resnet50", "resnet50")}


@EXTRACTORS.register_module()
class SwAV(TimmExtractor):
    """ResNet-50 trained with SwAV (Caron et al. 2020): IC-GAN's instance features, StudioGAN's SwAV_torch.

    Args:
        weights: path of ``swav_800ep_pretrain.pth.tar``; None looks in the user's cache.
        resize: a key of ``RESIZE_RULES``; ``pil-bilinear`` is StudioGAN's "friendly".
        precision: ``float32``, ``bfloat16`` or ``auto`` (what is fast where the network is).

    Raises:
        FileNotFoundError: no weights; says which file, from where.
        ValueError: another file.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"swav": {}}
    disk_arguments = ("weights",)

    def __init__(
        self,
        weights: str | None = None,
        *,
        resize: str = "pil-bilinear",
        precision: Precision = "float32",
    ) -> None:
        path = find_known("swav-resnet50", weights, "SwAV")
        heads = ("projection_head.", "prototypes.", "fc.")
        super().__init__(
            "resnet50", str(path), image_size=224, resize=resize, ignore=heads, precision=precision
        )


@EXTRACTORS.register_module()
class DINO(TimmExtractor):
    """A network trained with DINO (Caron et al. 2021): pooled features, the last class token of a ViT.

    StudioGAN's DINO_torch joins the class tokens of the last four blocks instead (1,536 features).

    Args:
        weights: path of the published backbone; None looks in the user's cache.
        model: ``vit-s8`` or ``resnet50``.
        resize: a key of ``RESIZE_RULES``.
        precision: ``float32``, ``bfloat16`` or ``auto`` (what is fast where the network is).

    Raises:
        FileNotFoundError: no weights; says which file, from where.
        ValueError: another file, or an unknown model.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "dino": {},
        "dino-resnet50": {"model": "resnet50"},
    }
    disk_arguments = ("weights",)

    def __init__(
        self,
        weights: str | None = None,
        *,
        model: str = "vit-s8",
        resize: str = "pil-bilinear",
        precision: Precision = "float32",
    ) -> None:
        if model not in DINO_MODELS:
            raise ValueError(f"DINO: model={model!r}: choose one of {', '.join(DINO_MODELS)}")
        key, architecture = DINO_MODELS[model]
        path = find_known(key, weights, "DINO")
        super().__init__(
            architecture,
            str(path),
            image_size=224,
            resize=resize,
            ignore=("head.", "fc."),
            precision=precision,
        )
