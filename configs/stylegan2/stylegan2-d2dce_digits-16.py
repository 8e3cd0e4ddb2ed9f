_base_ = "stylegan2_digits-16.py"
model = dict(
    discriminator=dict(
        heads=dict(
            adv=dict(_delete_=True, type="AdversarialHead", spectral_norm=False),
            cls=dict(type="ProxyHead", embed_dim=64, spectral_norm=False),
        )
    ),
    losses=dict(contrastive=dict(type="D2DCELoss", weights=dict(real=0.25, generated=0.25))),
)
