# AC-GAN (Odena et al., 2017) on BigGAN's networks: a real/fake head and a class head.
_base_ = "./biggan.py"
model = dict(
    discriminator=dict(
        heads=dict(_delete_=True, adv=dict(type="AdversarialHead"), cls=dict(type="ClassifierHead"))
    ),
    losses=dict(classification=dict(type="CrossEntropyLoss", weights=dict(real=1.0, generated=1.0))),
)
