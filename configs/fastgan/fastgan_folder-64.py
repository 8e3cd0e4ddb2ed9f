# Pictures of one's own without any frozen network: the fallback where mmcgan[weights] is not at hand.
_base_ = [
    "../_base_/models/fastgan.py",
    "../_base_/datasets/folder-64.py",
    "../_base_/schedules/projected.py",
]
model = dict(
    generator=dict(base_channels=64),
    discriminator=dict(
        backbone=dict(base_channels=32),
        heads=dict(_delete_=True, adv=dict(type="AdversarialHead")),
    ),
    condition_sampler=dict(_delete_=True, type="ConstantLabel", label=0),
    data_preprocessor=dict(flip_probability=0.5),
)
train_cfg = dict(max_iters=50_000)
