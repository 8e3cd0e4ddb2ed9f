# "More like this" for 3,500 small colour pictures in two hours: instances of EfficientNet-Lite0 in a network
# between the small StyleGAN2 of Fashion-MNIST and that of CIFAR, a light R1, augmentation: they are few.
_base_ = [
    "../_base_/models/icgan-stylegan2.py",
    "../_base_/datasets/emoji-32-instances.py",
    "../_base_/schedules/laptop-stylegan2.py",
]
_width = dict(max_channels=96, channel_base=1536)
model = dict(
    generator=dict(num_attributes=0, latent_dim=64, style_dim=96, **_width),
    discriminator=dict(backbone=dict(**_width), heads=dict(adv=dict(num_layers=2))),
    regularizers=dict(_delete_=True, r1=dict(type="R1", weight=0.02, interval=16, reuse_scores=True)),
    augment=dict(type="DiffAugment"),
    data_preprocessor=dict(flip_probability=0.0, channels_last=True),
)
train_dataloader = dict(batch_size=32)
_decay = dict(type="LinearLR", start_factor=1.0, end_factor=0.1, begin=8000, end=14000, by_epoch=False)
param_scheduler = dict(generator=_decay, discriminator=_decay)
train_cfg = dict(max_iters=14000)
default_hooks = dict(
    generator_ema=dict(half_life_images=10_000),
    sample_grid=dict(interval=500),
    checkpoint=dict(interval=500, save_best=None),
)
