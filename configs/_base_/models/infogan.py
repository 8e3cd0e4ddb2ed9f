# InfoGAN (Chen et al., 2016) on DCGAN's networks: one categorical and two continuous codes, which a head
# of the discriminator recognises; the generator's optimiser trains it.
_base_ = "./dcgan.py"
model = dict(
    latent_sampler=dict(type="CodedLatent", codes=1, values=10, continuous=2),
    discriminator=dict(
        heads=dict(
            discrete_code=dict(type="DiscreteCodeHead", codes=1, values=10, spectral_norm=None),
            continuous_code=dict(type="ContinuousCodeHead", codes=2, spectral_norm=None),
        )
    ),
    losses=dict(
        discrete=dict(type="CategoricalCodeLoss", weights=dict(generated=1.0)),
        continuous=dict(type="GaussianCodeLoss", weights=dict(generated=0.1)),
    ),
)
