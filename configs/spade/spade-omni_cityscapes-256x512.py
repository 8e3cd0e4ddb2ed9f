# The GAN loss of SPADE replaced by the per-pixel omni-loss, and weight decay for the discriminator (Omni-GAN,
# Sec. 4.3 and Appendix H: mIoU 62.21 -> 65.07). The paper does not say how much; 1e-4 is that of its CIFAR10.
_base_ = ["./spade_cityscapes-256x512.py", "../_base_/parts/spade-omni.py"]
model = {{_base_._omni}}
optim_wrapper = dict(discriminator=dict(optimizer=dict(weight_decay=1e-4)))
