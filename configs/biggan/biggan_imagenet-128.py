_base_ = ["../_base_/models/biggan.py", "../_base_/recipes/imagenet-128_imagenet.py"]
# Batch 256 as in StudioGAN: two critic updates, G 5e-5, D 2e-4. The loader batch is that of one
# process: divide it by the number of GPUs, and raise d_accumulation if it does not fit.
model = dict(
    regularizers=dict(orthogonal=dict(type="OrthogonalRegularizer", on="generator", weight=1e-4)),
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=2),
)
train_dataloader = dict(batch_size=256 * 2)  # batch x n_critic
optim_wrapper = dict(generator=dict(optimizer=dict(lr=5e-5)), discriminator=dict(optimizer=dict(lr=2e-4)))
