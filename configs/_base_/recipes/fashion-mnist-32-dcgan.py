# Garments without labels for DCGAN's networks: two updates an iteration, Adam 2e-4 (0.5, 0.999).
_base_ = "./fashion-mnist-32-critic.py"
optim_wrapper = dict(
    generator=dict(optimizer=dict(betas=(0.5, 0.999))),
    discriminator=dict(optimizer=dict(betas=(0.5, 0.999))),
)
