"""What the generator is asked for: latents and conditions, drawn from explicit generators."""

from mmcgan.samplers.label import (
    BalancedLabel,
    ConstantLabel,
    EmpiricalLabel,
    TemperatureLabel,
    UniformLabel,
)
from mmcgan.samplers.latent import (
    NormalLatent,
    TruncatedNormalLatent,
    UniformLatent,
    truncate,
    truncated_normal,
)

__all__ = [
    "BalancedLabel",
    "ConstantLabel",
    "EmpiricalLabel",
    "NormalLatent",
    "TemperatureLabel",
    "TruncatedNormalLatent",
    "UniformLabel",
    "UniformLatent",
    "truncate",
    "truncated_normal",
]
