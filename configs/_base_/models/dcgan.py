# DCGAN (Radford et al., 2016): convolutions with batch norm in both networks, no labels, the
# non-saturating loss.
model = dict(
    type="ConditionalGAN",
    generator=dict(type="DCGANGenerator", num_classes=0, base_channels=64, latent_dim=128),
    discriminator=dict(
        backbone=dict(type="DCGANBackbone", base_channels=64, spectral_norm=None, batch_norm=dict()),
        heads=dict(adv=dict(type="AdversarialHead", spectral_norm=None)),
    ),
    losses=dict(adversarial=dict(type="NonSaturatingLoss")),
    condition_sampler=dict(type="ConstantLabel", label=0),
    data_preprocessor=dict(type="GANDataPreprocessor", channels_last=True),
    step=dict(n_critic=2, split_d=True),  # batch norm must not see real and generated images together
)
