_base_ = "./mhgan_biggan_fashion-mnist-32.py"
# Omni-GAN's weight decay on multi-hinge GAN (Omni-GAN, Fig. 4).
optim_wrapper = dict(
    generator=dict(optimizer=dict(weight_decay=1e-3)),
    discriminator=dict(optimizer=dict(weight_decay=1e-4)),
)
