"""Restoring images with a trained generator as the prior (Deep Generative Prior; Omni-GAN, appendix I)."""

from mmcgan.restoration.colour import lab_to_rgb, rgb_to_lab, with_lightness_of
from mmcgan.restoration.degradations import Degradation
from mmcgan.restoration.features import (
    DiscriminatorDistance,
    Distance,
    PerceptualDistance,
    PixelDistance,
    block_features,
)
from mmcgan.restoration.figures import compared_region, figures, uniform_ssim
from mmcgan.restoration.fitting import Fitting, Progress
from mmcgan.restoration.groups import parameter_groups
from mmcgan.restoration.instance_norm import InstanceNorms
from mmcgan.restoration.lanczos import lanczos_downsample, lanczos_kernel
from mmcgan.restoration.morphing import Tuned, morph
from mmcgan.restoration.options import Restored, RestoreOptions, RestoreResult
from mmcgan.restoration.plan import Plan, Rates, Stage, rates, stage_at
from mmcgan.restoration.presets import PRESETS, preset_plan
from mmcgan.restoration.prior import Prior, load_prior, prior_of
from mmcgan.restoration.problem import Problem
from mmcgan.restoration.render import render
from mmcgan.restoration.search import candidate_distances
from mmcgan.restoration.workflow import restore, restore_image

__all__ = [
    "PRESETS",
    "Degradation",
    "DiscriminatorDistance",
    "Distance",
    "Fitting",
    "InstanceNorms",
    "PerceptualDistance",
    "PixelDistance",
    "Plan",
    "Prior",
    "Problem",
    "Progress",
    "Rates",
    "RestoreOptions",
    "RestoreResult",
    "Restored",
    "Stage",
    "Tuned",
    "block_features",
    "candidate_distances",
    "compared_region",
    "figures",
    "lab_to_rgb",
    "lanczos_downsample",
    "lanczos_kernel",
    "load_prior",
    "morph",
    "parameter_groups",
    "preset_plan",
    "prior_of",
    "rates",
    "render",
    "restore",
    "restore_image",
    "rgb_to_lab",
    "stage_at",
    "uniform_ssim",
    "with_lightness_of",
]
