"""The extractor that ``mmcgan train-ssl-extractor`` trains on one's own images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from mmcgan.extractors.base import ExtractorOutput, Preprocessing
from mmcgan.extractors.network_file import named, read_network_file
from mmcgan.extractors.small_network import SmallNetwork
from mmcgan.extractors.small_network_extractor import SmallNetworkExtractor
from mmcgan.precision import Precision
from mmcgan.registry import EXTRACTORS
from mmcgan.weights import read_index, weight_path

KIND = "ssl-extractor"
FORMAT = "mmcgan-ssl-extractor-1"


@EXTRACTORS.register_module()
class SelfSupervisedExtractor(SmallNetworkExtractor):
    """Pooled features of a small residual network that was trained without labels; no logits.

    Args:
        weights: file made by ``mmcgan train-ssl-extractor``, or the name of one that ships.
        precision: ``float32``, ``bfloat16`` or ``auto`` (what is fast where the network is).

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged or of another kind.
    """

    weight_kind = "ssl-extractor"
    file_format = "mmcgan-ssl-extractor"
    disk_arguments = ("weights",)

    def __init__(self, weights: str, precision: Precision = "float32") -> None:
        path = _find(weights)
        network, self.record = load_ssl_extractor(path)
        super().__init__(f"ssl:{path.stem}", Preprocessing(self.record["options"]["image_size"]), precision)
        self.network = network
        del self.network.classifier
        self.feature_dim = network.widths[-1]
        self.freeze()

    def encode(self, pixels: Tensor) -> ExtractorOutput:
        """Return features (N, F), non-negative."""
        return ExtractorOutput(self.network.features(pixels))


def _find(weights: str) -> Path:
    """Return the file; weights that were exported name it without its folder, which may be that of ours."""
    path = Path(weights).expanduser()
    shipped = Path(weights).name.removesuffix(".safetensors")
    return weight_path(shipped, KIND) if not path.is_file() and shipped in read_index(KIND) else path


def load_ssl_extractor(path: Path) -> tuple[SmallNetwork, dict[str, Any]]:
    """Return the network in float32 and its record.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a file of ``mmcgan train-ssl-extractor``, or a damaged one.
    """
    state, stated = read_network_file(path, "extractor", FORMAT, "mmcgan train-ssl-extractor")
    record = dict(stated)
    with named(path, "extractor"):
        network = SmallNetwork(1, record["options"]["widths"])
        Preprocessing(record["options"]["image_size"])
        found = network.load_state_dict(state, strict=False)
        missing = [key for key in found.missing_keys if not key.startswith("classifier.")]
        if missing or found.unexpected_keys:
            raise ValueError(f"missing {missing[:3]}, unexpected {found.unexpected_keys[:3]}")
    return network.eval(), record
