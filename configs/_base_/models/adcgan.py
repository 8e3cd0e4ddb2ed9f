# ADC-GAN (Hou et al., 2022) on BigGAN's networks: a classifier that knows every class twice, real
# and generated.
_base_ = "./biggan.py"
model = dict(
    discriminator=dict(
        heads=dict(
            _delete_=True, adv=dict(type="AdversarialHead"), cls=dict(type="DiscriminativeClassifierHead")
        )
    ),
    losses=dict(classification=dict(type="DiscriminativeClassifierLoss")),
)
