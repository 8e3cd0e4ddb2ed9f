# SNGAN with projection (Miyato & Koyama, 2018): spectral norm in the discriminator only,
# class-conditional batch norm in the generator.
model = dict(
    type="ConditionalGAN",
    generator=dict(type="ResNetGenerator", base_channels=64, latent_dim=128),
    discriminator=dict(
        backbone=dict(type="ResNetBackbone", base_channels=64),
        heads=dict(adv=dict(type="ProjectionHead")),
    ),
    losses=dict(adversarial=dict(type="HingeLoss")),
    condition_sampler=dict(type="UniformLabel"),
    data_preprocessor=dict(type="GANDataPreprocessor", channels_last=True),
    step=dict(n_critic=5, split_d=False),
)
