# ContraGAN (Kang & Park, 2020) on BigGAN's networks: a real/fake head, and an embedding of every
# image that is pulled to images and the proxy of its class.
_base_ = "./biggan.py"
model = dict(
    discriminator=dict(
        heads=dict(_delete_=True, adv=dict(type="AdversarialHead"), cls=dict(type="ProxyHead", embed_dim=512))
    ),
    losses=dict(
        contrastive=dict(type="ConditionalContrastiveLoss", weights=dict(real=1.0, generated=1.0)),
    ),
)
