# StudioGAN's "ACGAN-Mod": SNGAN's ResNets without spectral norm, real/fake and class heads.
_base_ = "./sngan.py"
model = dict(
    discriminator=dict(
        backbone=dict(spectral_norm=None),
        heads=dict(
            _delete_=True,
            adv=dict(type="AdversarialHead", spectral_norm=None),
            cls=dict(type="ClassifierHead", spectral_norm=None),
        ),
    ),
    losses=dict(classification=dict(type="CrossEntropyLoss", weights=dict(real=1.0, generated=1.0))),
)
