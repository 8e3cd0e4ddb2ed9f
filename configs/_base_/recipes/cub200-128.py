# The images of cub200-128 with the schedule cub200-studiogan.
_base_ = ["../datasets/cub200-128.py", "../schedules/cub200-studiogan.py"]
# Settings K and L of ReACGAN, Table A1: batch 256, two critic updates. A config takes K's by
# model = {{_base_._setting_k}}
_setting_k = dict(
    generator=dict(base_channels=80),
    discriminator=dict(backbone=dict(base_channels=80)),
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=2, split_d=True),
)
train_dataloader = dict(batch_size=256 * 2)  # batch x n_critic
