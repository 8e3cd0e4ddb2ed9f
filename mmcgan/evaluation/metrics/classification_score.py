"""Whether a classifier trained on generated images knows real ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mmcgan.evaluation.metrics.base import renumbered
from mmcgan.evaluation.metrics.grouped_fid import match_reference
from mmcgan.evaluation.metrics.pixels import ImageMetric
from mmcgan.evaluation.statistics.reference import Reference
from mmcgan.extractor_training.train_classifier import TrainOptions, accuracy, read_images, train_network
from mmcgan.extractors.base import Extractor
from mmcgan.registry import DATASETS, GENERATION_METRICS


@GENERATION_METRICS.register_module()
class ClassificationAccuracyScore(ImageMetric):
    """Accuracy on real images of a classifier trained on generated ones (Ravuri and Vinyals 2019).

    The reverse trains on the real images and tests on the generated ones. Both need a test set that
    the generator was not trained on for the forward direction: give it as ``test``. Trains the small
    residual network of ``tools/train_classifier.py`` once per direction, on the CPU.

    Args:
        test: config of real test images; None tests on the reference.
        epochs: passes over the training images.
        reverse: also return the accuracy of a classifier of real images on the generated ones.
        seed: decides weights, order and augmentation.

    Raises:
        ValueError: ``epochs`` below 1.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"cas": {}}
    better: ClassVar[Mapping[str, str]] = {"cas": "greater", "cas_reverse": "greater"}
    figures = ("cas", "cas_reverse")

    needs_labels: ClassVar[bool] = True
    needs_reference: ClassVar[bool] = True

    def __init__(
        self, test: dict[str, Any] | None = None, epochs: int = 15, reverse: bool = True, seed: int = 0
    ) -> None:
        super().__init__(seed)
        if epochs < 1:
            raise ValueError(f"ClassificationAccuracyScore: epochs must be at least 1, got {epochs}")
        self.test = test
        self.epochs = epochs
        self.reverse = reverse
        self._reference: Reference | None = None
        self._numbers: list[int] | None = None

    def prepare(self, extractor: Extractor, reference: Reference | None) -> None:
        """Keep the reference."""
        super().prepare(extractor, reference)
        self._reference = reference

    def expect(self, conditions: Mapping[str, Any]) -> None:
        """Match the classes asked for, and those of the test set, with the reference's.

        Raises:
            ValueError: they are not the same.
        """
        self._numbers = match_reference(self, conditions, self._reference)
        if self.test is not None:
            info = DATASETS.build(dict(self.test)).metainfo
            match_reference(self, info, self._reference)

    def compute(self) -> dict[str, float]:
        """Return ``cas`` and, if asked for, ``cas_reverse``, in 0..1.

        Raises:
            ValueError: real images without labels or of another size.
        """
        assert self._reference is not None
        image, label = self.images()
        assert label is not None  # checked by update()
        label = renumbered(label, self._numbers)
        train = read_images(self._reference.dataset, "ClassificationAccuracyScore")
        test = train if self.test is None else read_images(DATASETS.build(dict(self.test)), "test")
        if image.shape[1:] != train[0].shape[1:]:
            raise ValueError(
                f"ClassificationAccuracyScore: generated images are {tuple(image.shape[1:])}, real ones "
                f"{tuple(train[0].shape[1:])}"
            )
        classes = 1 + max(int(part.max()) for part in (label, train[1], test[1]))
        batch_size = min(TrainOptions().batch_size, len(image), len(train[0]))
        options = TrainOptions(epochs=self.epochs, batch_size=batch_size, seed=self.seed)
        figures = {"cas": accuracy(train_network((image, label), classes, options), test)}
        if self.reverse:
            figures["cas_reverse"] = accuracy(train_network(train, classes, options), (image, label))
        return figures

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().settings(), "epochs": self.epochs, "test": self.test}
