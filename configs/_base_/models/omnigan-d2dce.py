# Omni-GAN with D2D-CE beside the omni-loss: data-to-data relations on the same features.
_base_ = "./omnigan.py"
model = dict(
    discriminator=dict(heads=dict(cls=dict(type="ProxyHead", embed_dim=512))),
    losses=dict(
        contrastive=dict(
            type="D2DCELoss", temperature=0.5, positive_margin=0.98, weights=dict(real=0.5, generated=0.5)
        ),
    ),
)
