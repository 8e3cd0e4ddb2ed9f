# Garments without labels for critics (WGAN and its kin): two updates an iteration, Adam 2e-4 (0, 0.9).
_base_ = ["../datasets/fashion-mnist-32-unlabelled.py", "../schedules/laptop-fashion-mnist.py"]
train_dataloader = dict(batch_size=64 * 2)  # batch x n_critic
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=2e-4, betas=(0.0, 0.9))),
    discriminator=dict(optimizer=dict(lr=2e-4, betas=(0.0, 0.9))),
)
