# Omni-INR-GAN (Omni-GAN, Sec. 3.4): Omni-GAN whose generator ends in an implicit output layer, so that it
# makes images of any size; `hidden` are the widths of its small network. The discriminator has no non-local
# block, so that it takes any size too. Training is at one size (appendix J).
_base_ = "./omnigan.py"
model = dict(
    generator=dict(implicit=dict(hidden=(96, 96))),
    discriminator=dict(backbone=dict(attention_resolutions=())),
)
