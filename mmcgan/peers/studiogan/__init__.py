"""StudioGAN: ``resnet``, ``big_resnet``, BigGAN-deep, ``deep_conv``, ``stylegan2``, all heads and codes."""

# in the order in which readings are tried: what two residual formats have in common is ``resnet``
from mmcgan.peers.studiogan import residual, deep_conv, stylegan2  # noqa: F401, I001
