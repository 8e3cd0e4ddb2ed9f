# ReACGAN's D2D-CE beside R3GAN's relativistic loss, on R3GAN's networks.
_base_ = ["../r3gan/r3gan_fashion-mnist-32.py", "../_base_/parts/d2dce.py"]
model = dict(
    discriminator=dict(
        heads=dict(
            adv=dict(num_classes=0),
            cls=dict(type="ProxyHead", embed_dim=128, spectral_norm=None),
        )
    ),
    losses=dict(contrastive={{_base_._d2dce}}),
)
