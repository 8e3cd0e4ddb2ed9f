_base_ = ["../_base_/models/biggan.py", "../_base_/recipes/imagenet-256.py"]
# Self-attention at 64 x 64 in both networks; optimisers as at 128 pixels.
model = dict(
    generator=dict(latent_dim=140),
    regularizers=dict(orthogonal=dict(type="OrthogonalRegularizer", on="generator", weight=1e-4)),
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=2),
)
train_dataloader = dict(batch_size=256 * 2)  # batch x n_critic
optim_wrapper = dict(generator=dict(optimizer=dict(lr=5e-5)), discriminator=dict(optimizer=dict(lr=2e-4)))
