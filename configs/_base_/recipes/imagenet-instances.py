# The images of imagenet-instances with the schedule imagenet.
_base_ = ["../datasets/imagenet-instances.py", "../schedules/imagenet.py"]
# A config takes what follows by model = {{_base_._networks_128}}, and so on; 64 and 256 go on from 128.
_networks_128 = dict(
    generator=dict(base_channels=96, attention_resolutions=(64,)),
    discriminator=dict(backbone=dict(base_channels=96, attention_resolutions=(64,))),
    condition_sampler=dict(flip=True),
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=1),
)
_networks_64 = dict(
    generator=dict(base_channels=64, attention_resolutions=(32,)),
    discriminator=dict(backbone=dict(base_channels=64, attention_resolutions=(32,))),
)
_networks_256 = dict(
    generator=dict(base_channels=64),
    discriminator=dict(backbone=dict(base_channels=64)),
    step=dict(n_critic=2),
)
