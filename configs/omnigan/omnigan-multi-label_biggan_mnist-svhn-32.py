_base_ = [
    "../_base_/models/omnigan-multi-label.py",
    "../_base_/datasets/mnist-svhn-32.py",
    "../_base_/schedules/cifar-omnigan.py",
]
# The paper gives no settings for this experiment: those of CIFAR10, with an embedding of every group.
model = dict(
    generator=dict(base_channels=64, latent_dim=128, shared_dim=64, init="normal"),
    discriminator=dict(backbone=dict(base_channels=64, init="normal"), init="normal"),
    # as often as they come: SVHN has twice as many ones as nines
    condition_sampler=dict(type="EmpiricalAttributes"),
    step=dict(n_critic=3),
)
train_dataloader = dict(batch_size=32 * 3)  # batch x n_critic
optim_wrapper = dict(
    generator=dict(optimizer=dict(weight_decay=1e-3)),
    discriminator=dict(optimizer=dict(weight_decay=1e-4)),
)
train_cfg = dict(max_iters=100_000)
