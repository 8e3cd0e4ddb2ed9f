# Multi-hinge GAN (Kavalerov et al., 2021) on BigGAN's networks: one classifier of C classes and
# "generated", no real/fake head; feature matching for the generator.
_base_ = "./biggan.py"
model = dict(
    discriminator=dict(heads=dict(_delete_=True, cls=dict(type="FakeClassHead"))),
    losses=dict(
        _delete_=True,
        multi_hinge=dict(type="MultiHingeLoss", weights=dict(real=1.0, fake=1.0, generated=0.05)),
        features=dict(type="FeatureMatchingLoss", weights=1.0),
    ),
)
