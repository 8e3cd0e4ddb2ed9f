"""What the command line and other programs call: train, test, sample, load and export models."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.apis.inference import CGANInferencer
    from mmcgan.apis.interpolation import InterpolationOptions, interpolate, sefa
    from mmcgan.apis.sampling import SampleResult, sample
    from mmcgan.apis.testing import test
    from mmcgan.apis.training import TrainResult, train
    from mmcgan.zoo.models import GeneratorRecord, LoadedModel, export_weights, load_model
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "CGANInferencer",
    "GeneratorRecord",
    "InterpolationOptions",
    "LoadedModel",
    "SampleResult",
    "TrainResult",
    "export_weights",
    "interpolate",
    "load_model",
    "sample",
    "sefa",
    "test",
    "train",
]
