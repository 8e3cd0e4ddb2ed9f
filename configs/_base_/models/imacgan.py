# ImAC-GAN (Omni-GAN, Appendix C) on BigGAN's networks: AC-GAN whose classifier has one more class,
# for generated images.
_base_ = "./biggan.py"
model = dict(
    discriminator=dict(
        heads=dict(_delete_=True, adv=dict(type="AdversarialHead"), cls=dict(type="FakeClassHead"))
    ),
    losses=dict(classification=dict(type="ImprovedClassificationLoss")),
)
