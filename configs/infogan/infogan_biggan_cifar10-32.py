_base_ = "../biggan/biggan_cifar10-32.py"
# A categorical code beside the label; mixed into the whole latent, which BigGAN hands out block by block.
model = dict(
    generator=dict(
        _delete_=True,
        type="CodedGenerator",
        generator=dict(type="BigGANGenerator", latent_dim=80, attention_resolutions=(16,)),
        code_dim=10,
    ),
    latent_sampler=dict(type="CodedLatent", codes=1, values=10),
    discriminator=dict(heads=dict(discrete_code=dict(type="DiscreteCodeHead", codes=1, values=10))),
    losses=dict(discrete=dict(type="CategoricalCodeLoss", weights=dict(generated=1.0))),
)
optim_wrapper = dict(generator=dict(adopts=["discriminator.heads.discrete_code.*"]))
