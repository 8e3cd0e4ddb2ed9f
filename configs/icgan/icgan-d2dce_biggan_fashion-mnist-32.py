_base_ = "./icgan-class_biggan_fashion-mnist-32.py"
# Class-conditional IC-GAN whose classes are told apart by ReACGAN's data-to-data cross-entropy.
model = dict(
    discriminator=dict(
        heads=dict(adv=dict(num_classes=0), cls=dict(type="ProxyHead", embed_dim=512)),
    ),
    losses=dict(
        contrastive=dict(
            type="D2DCELoss", temperature=0.5, positive_margin=0.98, weights=dict(real=0.5, generated=0.5)
        ),
    ),
)
