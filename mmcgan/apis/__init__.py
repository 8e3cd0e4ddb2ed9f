"""What the command line and other programs call: train, test, sample."""

from mmcgan.apis.train import TrainResult, train

__all__ = ["TrainResult", "train"]
