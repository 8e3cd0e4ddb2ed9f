"""Our values where a peer keeps others: vectors of spectral norm, variances under another epsilon."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.peers.translation import HOOK, OWN

State = dict[str, Tensor]


class NotCarried(ValueError):
    """Something of our model that the peer's format has no place for; the message names it."""


def suited_spectral(state: State, wanted: str) -> State:
    """Return the state with the vectors of spectral norm that the peer keeps.

    From u alone, torch's pair (u, v) is what one iteration leaves: evaluation is the same.

    Raises:
        NotCarried: torch's hook, which a peer without it would evaluate otherwise; several vectors.
    """
    hooked = [key for key in state if key.endswith(".spectral.v0")]
    own = [key for key in state if key.endswith(".spectral.sigma0")]
    if wanted == OWN and hooked:
        raise NotCarried(
            "spectral_norm with iterate_in_eval=False (torch's hook): the format iterates in evaluation"
        )
    if wanted != HOOK or not own:
        return dict(state)
    if any(key.endswith(".spectral.u1") for key in state):
        raise NotCarried("spectral_norm with singular_values > 1: the format keeps one")
    found = {key: value for key, value in state.items() if ".spectral.sigma" not in key}
    for key in own:
        layer = key.removesuffix(".spectral.sigma0")
        matrix = state[f"{layer}.weight"].flatten(1)
        right = F.normalize(state[f"{layer}.spectral.u0"] @ matrix, dim=0)
        found[f"{layer}.spectral.u0"] = F.normalize(matrix @ right, dim=0)
        found[f"{layer}.spectral.v0"] = right
    return found


def suited_variances(state: State, network: nn.Module, again: nn.Module) -> State:
    """Return the state with running variances that make up for another epsilon of the peer's batch norms.

    Raises:
        NotCarried: a variance is smaller than the difference.
    """
    theirs = dict(again.named_modules())
    found = dict(state)
    for name, module in network.named_modules():
        other = theirs.get(name)
        if (
            not isinstance(module, nn.BatchNorm2d)
            or not isinstance(other, nn.BatchNorm2d)
            or module.eps == other.eps
        ):
            continue
        key = f"{name}.running_var"
        found[key] = state[key] + (module.eps - other.eps)
        if bool((found[key] < 0).any()):
            raise NotCarried(
                f"batch_norm.eps={module.eps}: the format's is {other.eps}, more than a variance of {key}"
            )
    return found
