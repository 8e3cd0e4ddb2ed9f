"""Adam with stable weight decay, an alternative that the Omni-GAN authors ship."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam

from mmcgan.registry import OPTIMIZERS


@OPTIMIZERS.register_module()
class AdamS(Adam):
    """Adam whose weight decay is scaled by the gradients' size (Xie et al., Stable Weight Decay).

    Before Adam's own step every parameter with a gradient shrinks by the factor
    1 - weight_decay * lr / sqrt(v), v being the mean, over all elements of all such parameters,
    of the bias-corrected second moment that the step will use. Agrees with the ``adams`` of the
    Omni-GAN code; the paper's runs use plain Adam with coupled decay.

    Args:
        params: parameters or groups.
        lr: step size.
        betas: decay rates of the moments.
        eps: added to the root of the second moment.
        weight_decay: see above, not negative.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        # The base class must not see the decay: it would add it to the gradient. It is kept under
        # its usual name, so that schedules find it, and hidden during the step.
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Shrink, then take Adam's step."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        size = self._mean_second_moment()
        decays = [group["weight_decay"] for group in self.param_groups]
        for group, decay in zip(self.param_groups, decays, strict=True):
            for parameter in group["params"]:
                if parameter.grad is not None and decay:
                    parameter.mul_(1 - decay * group["lr"] / size.sqrt())
            group["weight_decay"] = 0.0
        try:
            super().step()
        finally:
            for group, decay in zip(self.param_groups, decays, strict=True):
                group["weight_decay"] = decay
        return loss

    def _mean_second_moment(self) -> Tensor:
        """Return the mean of v_hat as it will be in this step; only sums are needed for it."""
        # where the gradients are: what is brought from the host is waited for
        total, count = torch.zeros((), device=self.param_groups[0]["params"][0].device), 0
        for group in self.param_groups:
            beta = group["betas"][1]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state.get(parameter) or {}
                steps = float(state.get("step", 0)) + 1
                moment = (1 - beta) * parameter.grad.square().sum()
                if state:
                    moment = moment + beta * state["exp_avg_sq"].sum()
                total = total.to(moment.device) + moment / (1 - beta**steps)
                count += parameter.numel()
        return total / max(count, 1)
