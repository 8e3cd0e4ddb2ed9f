"""What a generation metric is: figures from a stream of extractor outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from mmcgan.extractors.base import Extractor, ExtractorOutput
from mmcgan.structures import Condition

if TYPE_CHECKING:
    from mmcgan.evaluation.statistics.reference import Reference


class GenerationMetric:
    """Base of all generation metrics.

    The evaluator calls :meth:`prepare` once, then for every evaluation :meth:`reset`, :meth:`update` per
    batch, :meth:`merge` and :meth:`compute`.

    Class attributes say what must be there:

    * ``needs_logits``: the extractor classifies;
    * ``needs_labels``: images were asked for by label;
    * ``needs_attributes``: images were asked for by attributes;
    * ``needs_reference``: real images to compare with.
    """

    needs_logits: ClassVar[bool] = False
    needs_labels: ClassVar[bool] = False
    needs_attributes: ClassVar[bool] = False
    needs_reference: ClassVar[bool] = False

    def prepare(self, extractor: Extractor, reference: Reference | None) -> None:
        """Check that the extractor and the reference offer what this metric needs.

        Raises:
            ValueError: logits or reference images are missing.
        """
        name = type(self).__name__
        if self.needs_logits and extractor.num_classes is None:
            raise ValueError(f"{name} needs class logits; the extractor {extractor.name!r} gives none")
        if self.needs_reference and reference is None:
            raise ValueError(
                f"{name} compares with real images: give the evaluator "
                "reference=dict(dataset=dict(type=..., split=...))"
            )

    def reset(self) -> None:
        """Forget all images."""
        raise NotImplementedError

    def update(self, output: ExtractorOutput, condition: Condition) -> None:
        """Add a batch: extractor outputs (N rows) and what was asked for."""
        raise NotImplementedError

    def merge(self) -> None:
        """Combine what all ranks gathered; every rank then holds the whole."""
        raise NotImplementedError

    def compute(self) -> dict[str, float]:
        """Return the figures by name."""
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """Return the arguments that decide the figures, as JSON types."""
        return {}

    def details(self) -> dict[str, Any]:
        """Return what is too much for a log line (per class), as JSON types."""
        return {}
