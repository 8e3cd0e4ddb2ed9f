"""What the generator is asked for: latents and conditions, drawn from explicit generators."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.samplers.attributes import ChosenAttributes, EmpiricalAttributes, UniformAttributes
    from mmcgan.samplers.base import ConditionSampler, LatentSampler
    from mmcgan.samplers.codes import CodedLatent, code_names, latent_codes
    from mmcgan.samplers.instance import (
        AllInstances,
        ClassInstances,
        InstanceSampler,
        KMeansInstances,
        RandomInstances,
        WeightedInstances,
    )
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
    from mmcgan.samplers.moves import LangevinLatents, LatentMove, OptimizedLatents
    from mmcgan.samplers.real import RealCondition
    from mmcgan.samplers.scaled import ScaledLatent
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "AllInstances",
    "BalancedLabel",
    "ChosenAttributes",
    "ClassInstances",
    "CodedLatent",
    "ConditionSampler",
    "ConstantLabel",
    "EmpiricalAttributes",
    "EmpiricalLabel",
    "InstanceSampler",
    "KMeansInstances",
    "LangevinLatents",
    "LatentMove",
    "LatentSampler",
    "NormalLatent",
    "OptimizedLatents",
    "RandomInstances",
    "RealCondition",
    "ScaledLatent",
    "TemperatureLabel",
    "TruncatedNormalLatent",
    "UniformAttributes",
    "UniformLabel",
    "UniformLatent",
    "WeightedInstances",
    "code_names",
    "latent_codes",
    "truncate",
    "truncated_normal",
]
