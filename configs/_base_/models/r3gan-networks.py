# R3GAN (Huang et al., 2024): its own networks without normalisation, relativistic pairs of equal label,
# R1 and R2 at every update, through the augmentation.
model = dict(
    type="ConditionalGAN",
    generator=dict(type="R3GANGenerator"),
    discriminator=dict(
        backbone=dict(type="R3GANBackbone"),
        heads=dict(adv=dict(type="InnerProductHead")),
        init="default",
    ),
    losses=dict(adversarial=dict(type="RelativisticLoss")),
    regularizers=dict(
        r1=dict(type="R1", weight=0.05, reuse_scores=True),
        r2=dict(type="R2", weight=0.05, reuse_scores=True),
    ),
    condition_sampler=dict(type="RealCondition"),
    data_preprocessor=dict(type="GANDataPreprocessor", flip_probability=0.5, channels_last=True),
    # every update has real images of its own: a loader batch is two mini-batches
    step=dict(split_d=True, generator_real="own"),
)
