"""What a kind of condition says about itself."""

from __future__ import annotations

from typing import ClassVar

from torch import Generator, Tensor

from mmcgan.contracts import Contract, Value, names


class ConditionField:
    """Base of the kinds of conditions: a label, the feature of an image, an embedded text, a pose.

    A subclass is registered in ``CONDITION_FIELDS`` under the field's name, which is the key in a data set's
    items, the word in ``requires``, the ``cond.<name>`` in the wiring of losses and an input of an exported
    generator. It writes :meth:`made_up`.

    Attributes:
        facts: names of what a data set's ``facts`` can tell of it; whatever has an argument of such a name is
            given it. The first is its size: a number of classes, a length.
        exported: whether an ONNX file takes it as an input.
        interpolates: whether there is a way between two of them, through what generators embed.
    """

    contract: ClassVar[Contract] = Contract(
        "condition field",
        "docs/extending/condition_field.md",
        methods={"made_up": "a number of rows, a size, an image size and a torch.Generator -> a tensor"},
        values={"facts": Value("a tuple of names, () for none", names)},
    )

    facts: ClassVar[tuple[str, ...]] = ()
    exported: ClassVar[bool] = True
    interpolates: ClassVar[bool] = True

    def made_up(self, n: int, size: int, image_size: tuple[int, int], source: Generator) -> Tensor:
        """Return ``n`` rows as a data set could have them, to trace and to test networks with.

        Args:
            n: number of rows.
            size: what the first of ``facts`` says; 0 if nobody knows.
            image_size: height and width of the images.
            source: of all random numbers.
        """
        raise NotImplementedError

    def typed(self, value: Tensor) -> Tensor:
        """Return a batch (N, ...), as a data set's items hold it, in the type that networks see."""
        return value

    def mirrored(self, value: Tensor) -> Tensor:
        """Return what a batch (N, ...) says of its images when all of them are mirrored left to right."""
        return value
