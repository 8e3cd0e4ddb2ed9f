"""What the command line and other programs call: train, test, sample, load and export models."""

from mmcgan.apis.models import GeneratorRecord, LoadedModel, export_weights, load_model
from mmcgan.apis.sampling import SampleResult, sample
from mmcgan.apis.testing import test
from mmcgan.apis.training import TrainResult, train

__all__ = [
    "GeneratorRecord",
    "LoadedModel",
    "SampleResult",
    "TrainResult",
    "export_weights",
    "load_model",
    "sample",
    "test",
    "train",
]
