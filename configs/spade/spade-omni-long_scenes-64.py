# The per-pixel omni-loss for half an hour. The discriminator's kernels are odd, so that each of its positions
# lies where the label map has the class that it is asked for: with PatchGAN's kernels of 4 they lie up to 6
# pixels beside it in images of 64, and objects come out with halos and shadows.
_base_ = "./spade-omni_scenes-64.py"
model = dict(
    discriminator=dict(
        backbone=dict(kernel_size=3, base_channels=24),
        heads=dict(omni_0=dict(kernel_size=3), omni_1=dict(kernel_size=3)),
    ),
)
_decay = dict(type="LinearLR", start_factor=1.0, end_factor=0.1, begin=1500, end=3000, by_epoch=False)
param_scheduler = dict(generator=_decay, discriminator=_decay)
train_cfg = dict(max_iters=3000, val_interval=500)
default_hooks = dict(
    logger=dict(interval=50),
    generator_ema=dict(decay=0.998, start=200),
    sample_grid=dict(interval=500),
    checkpoint=dict(interval=250, save_best="miou", rule="greater"),
)
