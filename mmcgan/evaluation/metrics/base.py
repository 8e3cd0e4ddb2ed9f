"""What a generation metric is: figures from a stream of extractor outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor

from mmcgan.class_names import Classes
from mmcgan.contracts import Contract, Value
from mmcgan.extractors.base import Extractor, ExtractorOutput
from mmcgan.structures import Condition

if TYPE_CHECKING:
    from mmcgan.evaluation.statistics.reference import Reference


def _says_ways(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value.values()) <= {"less", "greater"}


class GenerationMetric:
    """Base of all generation metrics.

    The evaluator calls :meth:`prepare` and :meth:`reset` once, then for every evaluation :meth:`expect`,
    :meth:`update` per batch, :meth:`merge`, :meth:`compute` and :meth:`reset`.

    Class attributes say what must be there:

    * ``short_names``: name on command lines -> settings (``{"is": {}, "is10": {"splits": 10}}``);
    * ``suite``: those of them that ``--metrics all`` computes;
    * ``better``: figure, or a pattern of figures -> ``less`` or ``greater``;
    * ``needs_logits``: the extractor classifies;
    * ``needs_labels``: images were asked for by label;
    * ``needs_attributes``: images were asked for by attributes;
    * ``needs_reference``: real images to compare with;
    * ``least_generated``, ``least_real`` (or attributes of the object): images without which there is no
      figure;
    * ``figures``: names of the figures that :meth:`compute` may return, shell-style patterns among them, so
      that a watched figure can be checked before a run; empty if they are not known beforehand.
    """

    contract: ClassVar[Contract] = Contract(
        "generation metric",
        "docs/extending/metric.md",
        methods={
            "reset": "forgets all images",
            "update": "adds a batch of extractor outputs and conditions",
            "merge": "combines what all ranks gathered",
            "compute": "returns the figures by name",
        },
        values={
            "short_names": Value("a dict of name -> settings", lambda value: isinstance(value, Mapping)),
            "better": Value("a dict of figure -> 'less' or 'greater'", _says_ways),
        },
    )

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    suite: ClassVar[tuple[str, ...]] = ()
    better: ClassVar[Mapping[str, str]] = {}
    needs_logits: ClassVar[bool] = False
    needs_labels: ClassVar[bool] = False
    needs_attributes: ClassVar[bool] = False
    needs_reference: ClassVar[bool] = False
    least_generated: int = 1
    least_real: int = 0
    figures: ClassVar[tuple[str, ...]] = ()

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

    def expect(self, conditions: Mapping[str, Any]) -> None:
        """Check what will be asked for, before any image is made; numbers of classes are matched by name.

        Args:
            conditions: the ``metainfo`` of the evaluation conditions, with ``classes`` (names) where known.

        Raises:
            ValueError: classes that are not those of the extractor or the reference.
        """

    def shortage(self, generated: int | None, real: int | None) -> str | None:
        """Return why so few images give no figure, None if they do; asked before anything is extracted.

        Args:
            generated: images there will be, over all ranks; None if that is not known.
            real: images of the reference; None without one.
        """
        return too_few(self.least_generated, generated, "generated") or too_few(self.least_real, real, "real")

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


def too_few(least: int, count: int | None, whose: str) -> str | None:
    """Return what is wrong with ``count`` images where ``least`` are needed, None if nothing is."""
    if count is None or count >= least:
        return None
    return f"it needs at least {least:,} {whose} images, there are {count:,}"


def asked_classes(conditions: Mapping[str, Any]) -> Classes:
    """Return the classes that images are asked for by."""
    return Classes(
        "what is asked for", conditions.get("num_classes") or None, tuple(conditions.get("classes") or ())
    )


def reference_classes(reference: Reference | None) -> Classes:
    """Return the classes of the real images."""
    info = {} if reference is None else reference.dataset.metainfo
    return Classes("the reference", info.get("num_classes") or None, tuple(info.get("classes") or ()))


def renumbered(label: Tensor, numbers: list[int] | None) -> Tensor:
    """Return labels (N,) as the other side numbers them, see :func:`~mmcgan.class_names.matching`."""
    return label if numbers is None else label.new_tensor(numbers)[label]
