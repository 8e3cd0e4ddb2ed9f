"""Losses: named tensors in, scalars out; no parameters."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.losses.adversarial import (
        AbsoluteLoss,
        HingeLoss,
        LeastSquaresLoss,
        NonSaturatingLoss,
        WassersteinLoss,
    )
    from mmcgan.losses.base import Loss, PairedLoss
    from mmcgan.losses.classification import CrossEntropyLoss
    from mmcgan.losses.code import (
        CategoricalCodeLoss,
        GaussianCodeLoss,
        categorical_code_loss,
        gaussian_code_loss,
    )
    from mmcgan.losses.contrastive import (
        ConditionalContrastiveLoss,
        D2DCELoss,
        conditional_contrastive,
        data_to_data_cross_entropy,
    )
    from mmcgan.losses.latent_law import LatentLawLoss
    from mmcgan.losses.multi_class import (
        DiscriminativeClassifierLoss,
        ImprovedClassificationLoss,
        MultiHingeLoss,
        crammer_singer,
    )
    from mmcgan.losses.omni import OmniLoss, omni_loss
    from mmcgan.losses.paired import FeatureMapLoss, FeatureMatchingLoss, LeCamLoss, RelativisticLoss
    from mmcgan.losses.perceptual import PerceptualLoss, VGG19Features
    from mmcgan.losses.top_k import TopKLoss, top_k_size
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "AbsoluteLoss",
    "CategoricalCodeLoss",
    "ConditionalContrastiveLoss",
    "CrossEntropyLoss",
    "D2DCELoss",
    "DiscriminativeClassifierLoss",
    "FeatureMapLoss",
    "FeatureMatchingLoss",
    "GaussianCodeLoss",
    "HingeLoss",
    "ImprovedClassificationLoss",
    "LatentLawLoss",
    "LeCamLoss",
    "LeastSquaresLoss",
    "Loss",
    "MultiHingeLoss",
    "NonSaturatingLoss",
    "OmniLoss",
    "PairedLoss",
    "PerceptualLoss",
    "RelativisticLoss",
    "TopKLoss",
    "VGG19Features",
    "WassersteinLoss",
    "categorical_code_loss",
    "conditional_contrastive",
    "crammer_singer",
    "data_to_data_cross_entropy",
    "gaussian_code_loss",
    "omni_loss",
    "top_k_size",
]
