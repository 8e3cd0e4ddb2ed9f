"""The file of a small classifier: half-precision weights and the record of how they were made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from mmcgan.checkpoints.files import require_finite, require_half
from mmcgan.extractors.network_file import named, read_network_file, write_network_file
from mmcgan.extractors.small_network import SmallNetwork

FORMAT = "mmcgan-small-classifier-1"


@dataclass(frozen=True)
class ClassifierRecord:
    """What is known of a trained classifier.

    Attributes:
        image_size: side of its input in pixels.
        widths: channels of the stem and the stages.
        classes: class names.
        dataset: config of the training images.
        test_accuracy: share of the ``test_images`` held-out real images it gets right.
        command: what made the file.
        seed: the seed of that command.
        seconds: wall time of the training.
        precision: what the training computed in; empty in older files.
        held_out: share of each class, or combination of attributes, of ``dataset`` that was held out for
            testing; 0 with a test set.
        attributes: groups of attributes, where it classifies those; ``classes`` are then its columns.
        group_accuracy: share of test images by attribute group; ``test_accuracy`` is of all at once.
    """

    image_size: int
    widths: tuple[int, ...]
    classes: tuple[str, ...]
    dataset: dict[str, Any]
    test_accuracy: float
    test_images: int
    command: str
    seed: int
    seconds: float
    precision: str = ""
    held_out: float = 0.0
    attributes: dict[str, Any] = field(default_factory=dict)
    group_accuracy: dict[str, float] = field(default_factory=dict)


def halve(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the state with matrices and kernels in float16; vectors and counters stay as they are.

    Raises:
        CheckpointError: a number is too large for float16, NaN or infinite; names the tensor.
    """
    require_finite(state, "the network")
    require_half({key: value for key, value in state.items() if value.ndim > 1}, "the network")
    return {key: value.half() if value.ndim > 1 else value for key, value in state.items()}


def save_classifier(path: Path, network: SmallNetwork, record: ClassifierRecord) -> None:
    """Write the network, kernels in half precision, with its record as safetensors metadata."""
    write_network_file(path, halve(network.state_dict()), record, FORMAT)


def load_classifier(path: Path) -> tuple[SmallNetwork, ClassifierRecord]:
    """Return the network in float32 and its record.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a file of :func:`save_classifier`, or a damaged one.
    """
    state, values = read_network_file(path, "classifier", FORMAT, "tools/train_classifier.py")
    with named(path, "classifier"):
        record = ClassifierRecord(**{**values, **{k: tuple(values[k]) for k in ("widths", "classes")}})
        network = SmallNetwork(len(record.classes), record.widths)
        network.load_state_dict(state)
    return network.eval(), record
