# The images of digits-16-unlabelled with the schedule laptop-digits.
_base_ = ["../datasets/digits-16-unlabelled.py", "../schedules/laptop-digits.py"]
# Without labels there is no class to be right about.
default_hooks = dict(checkpoint=dict(save_best="fid", rule="less"))
# A config takes these by model = {{_base_._small_dcgan}}
_small_dcgan = dict(
    generator=dict(base_channels=8, latent_dim=48),
    discriminator=dict(backbone=dict(base_channels=8)),
    step=dict(n_critic=1),
)
