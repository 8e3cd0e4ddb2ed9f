_base_ = "stylegan2-ada_afhq-256.py"
model = dict(
    discriminator=dict(
        heads=dict(
            adv=dict(_delete_=True, type="AdversarialHead", spectral_norm=False),
            cls=dict(type="ProxyHead", embed_dim=1024, spectral_norm=False),
        )
    ),
    losses=dict(
        contrastive=dict(
            type="D2DCELoss", temperature=0.5, positive_margin=0.95, weights=dict(real=0.5, generated=0.5)
        )
    ),
    augment=dict(adapt=dict(target=0.8)),
    step=dict(n_critic=2),
)
train_dataloader = dict(batch_size=64 * 2)  # batch x n_critic
