_base_ = "../icgan/icgan-class_biggan_digits-16.py"
# Class-conditional IC-GAN that makes images of any size: the instance enters through the projection head's
# logit, the class through the omni-loss.
model = dict(
    generator=dict(implicit=dict(hidden=(32, 32), spectral_norm=True)),
    discriminator=dict(
        backbone=dict(attention_resolutions=()),
        heads=dict(adv=dict(num_classes=0), omni=dict(type="OmniHead")),
    ),
    losses=dict(omni=dict(type="OmniLoss")),
)
