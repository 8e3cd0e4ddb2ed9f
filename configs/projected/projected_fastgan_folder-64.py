# The strongest start for a few hundred or thousand pictures of one's own: mmcgan train this config with
# --cfg-options train_dataloader.dataset.root=DIR. Needs `pip install 'mmcgan[weights]'`.
_base_ = [
    "../_base_/models/projected-unconditional.py",
    "../_base_/datasets/folder-64.py",
    "../_base_/schedules/projected.py",
]
model = dict(
    generator=dict(base_channels=64),
    data_preprocessor=dict(flip_probability=0.5),
)
train_cfg = dict(max_iters=50_000)
