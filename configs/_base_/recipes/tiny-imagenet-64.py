# The images of tiny-imagenet-64 with the schedule tiny-imagenet-studiogan.
_base_ = ["../datasets/tiny-imagenet-64.py", "../schedules/tiny-imagenet-studiogan.py"]
# Settings I and J of ReACGAN, Table A1: batch 1,024, one critic update. A config takes I's by
# model = {{_base_._setting_i}}
_setting_i = dict(
    generator=dict(base_channels=80, latent_dim=100, attention_resolutions=(32,)),
    discriminator=dict(backbone=dict(base_channels=80, attention_resolutions=(32,))),
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=1, split_d=True),
)
train_dataloader = dict(batch_size=1024)
