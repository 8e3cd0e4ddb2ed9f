"""mmcgan: conditional GANs as composable MMEngine components."""

from mmcgan.version import __version__

__all__ = ["__version__"]
