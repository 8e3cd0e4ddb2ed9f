# D2D-CE (ReACGAN) in place of the projection; two discriminator updates.
_base_ = "stylegan2_cifar10-32.py"
model = dict(
    discriminator=dict(
        heads=dict(
            adv=dict(_delete_=True, type="AdversarialHead", spectral_norm=False),
            cls=dict(type="ProxyHead", embed_dim=512, spectral_norm=False),
        )
    ),
    losses=dict(
        contrastive=dict(
            type="D2DCELoss",
            temperature=0.25,
            positive_margin=0.98,
            weights=dict(real=0.25, generated=0.25),
        )
    ),
    step=dict(n_critic=2),
)
train_dataloader = dict(batch_size=64 * 2)  # batch x n_critic
