# BigGAN (Brock et al., 2019): shared class embedding, hierarchical latent, projection
# discriminator, hinge loss. Image size and class count come from the data set.
model = dict(
    type="ConditionalGAN",
    generator=dict(type="BigGANGenerator", base_channels=96, latent_dim=120, shared_dim=128),
    discriminator=dict(
        backbone=dict(type="BigGANBackbone", base_channels=96),
        heads=dict(adv=dict(type="ProjectionHead")),
    ),
    losses=dict(adversarial=dict(type="HingeLoss")),
    condition_sampler=dict(type="UniformLabel"),
    data_preprocessor=dict(type="GANDataPreprocessor", channels_last=True),
    step=dict(n_critic=1, split_d=False),
)
