"""What a loss is: scalars from named tensors, one method per view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from mmcgan.contracts import Contract
from mmcgan.losses.arguments import OF_PAIRS, view_arguments

Inputs = Mapping[str, Tensor]


class Loss(nn.Module):
    """Scalar objectives over the discriminator's named outputs; owns no parameters.

    A subclass writes one method for each view it has an opinion on, with the tensors it
    wants as arguments:

    * ``real(...)``: real images, when the discriminator learns;
    * ``fake(...)``: generated images, when the discriminator learns;
    * ``generated(...)``: generated images, when the generator learns.

    Each gets those that it names. ``default_inputs`` says which named tensor feeds which
    argument when the config is silent (``head.tensor``, ``cond.label``, ``image``,
    ``feature.pooled``, ``train.iteration``).
    """

    contract: ClassVar[Contract] = Contract(
        "loss",
        "docs/extending/loss.md",
        either=("real", "fake", "generated"),
    )

    views: ClassVar[tuple[str, ...]] = ("real", "fake", "generated")
    #: the views: methods that a subclass writes, None for those it does not
    real: Any = None
    fake: Any = None
    generated: Any = None
    default_inputs: ClassVar[Mapping[str, str]] = {}
    needs_real_in_generator_step: ClassVar[bool] = False
    #: smallest mini-batch, over all ranks, for which the loss says anything
    smallest_batch: ClassVar[int] = 1
    #: what diagnostics divide class scores by before their softmax, as the loss does
    score_temperature: float = 1.0

    @property
    def has_figures(self) -> bool:
        """Whether the loss has figures of its own: it writes :meth:`figures`."""
        return type(self).figures is not Loss.figures

    def figures(self, inputs: Inputs) -> dict[str, Tensor]:
        """Return what diagnostics log of the loss beside its terms: scalars by name, none by default.

        Args:
            inputs: arguments of its views by name, of one batch of real or of generated images.
        """
        return {}

    @classmethod
    def implemented_views(cls) -> tuple[str, ...]:
        """Return the views this loss has a method for."""
        return tuple(view for view in cls.views if getattr(cls, view) is not None)

    @property
    def weighs_condition(self) -> bool:
        """Whether the loss itself can give its condition a weight: it writes :meth:`weigh_condition`."""
        return type(self).weigh_condition is not Loss.weigh_condition

    def weigh_condition(self, weight: float) -> None:
        """Give what the loss says of the condition ``weight``; without this method all of it is weighed."""

    def discriminator_terms(self, real: Inputs, fake: Inputs) -> dict[str, Tensor]:
        """Return one scalar per implemented discriminator view."""
        inputs = {"real": real, "fake": fake}
        return {view: self._view(view, inputs[view]) for view in self.implemented_views() if view in inputs}

    def generator_terms(self, fake: Inputs, real: Inputs | None) -> dict[str, Tensor]:
        """Return one scalar per implemented generator view."""
        return {} if self.generated is None else {"generated": self._view("generated", fake)}

    def _view(self, view: str, inputs: Inputs) -> Tensor:
        kind: Any = type(self)
        taken = view_arguments(kind, view)
        return getattr(self, view)(**{name: value for name, value in inputs.items() if name in taken})


class PairedLoss(Loss):
    """A loss that compares real with fake scores (relativistic, LeCam, feature matching).

    A subclass writes ``discriminator(real, fake)`` and/or ``generator(fake, real)``, each taking
    mappings of its inputs, and lists its argument names in ``input_names``.
    """

    contract: ClassVar[Contract] = Contract(
        "loss of pairs",
        "docs/extending/loss.md",
        either=OF_PAIRS,
    )

    views: ClassVar[tuple[str, ...]] = OF_PAIRS
    input_names: ClassVar[tuple[str, ...]] = ()
    #: the views: methods that a subclass writes, None for one it does not
    discriminator: Any = None
    generator: Any = None

    def discriminator_terms(self, real: Inputs, fake: Inputs) -> dict[str, Tensor]:
        """Return the scalar of the discriminator's step, if there is one."""
        return {} if self.discriminator is None else {"discriminator": self.discriminator(real, fake)}

    def generator_terms(self, fake: Inputs, real: Inputs | None) -> dict[str, Tensor]:
        """Return the scalar of the generator's step, if there is one."""
        return {} if self.generator is None else {"generator": self.generator(fake, real)}
