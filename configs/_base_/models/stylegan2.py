# Class-conditional StyleGAN2 (Karras et al., 2020; cStyleGAN2 of ReACGAN): label in the mapping network,
# mapped-label projection in the discriminator, logistic loss, lazy R1 and path length regularisation.
model = dict(
    type="ConditionalGAN",
    generator=dict(type="StyleGAN2Generator", channel_base=16384, mean_decay=0.998),
    discriminator=dict(
        backbone=dict(type="StyleGAN2Backbone", channel_base=16384),
        heads=dict(adv=dict(type="MappedProjectionHead")),
        init="equalized",
    ),
    losses=dict(adversarial=dict(type="NonSaturatingLoss")),
    regularizers=dict(
        r1=dict(type="R1", interval=16, reuse_scores=True),
        path_length=dict(type="PathLengthPenalty", weight=2.0, interval=4),
    ),
    condition_sampler=dict(type="UniformLabel"),
    data_preprocessor=dict(type="GANDataPreprocessor", flip_probability=0.5),
    step=dict(n_critic=1, split_d=True),
)
