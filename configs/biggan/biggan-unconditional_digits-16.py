_base_ = ["../_base_/models/biggan-unconditional.py", "../_base_/recipes/digits-16.py"]
model = dict(
    generator=dict(base_channels=8, latent_dim=48, shared_dim=32, spectral_norm=None),
    discriminator=dict(backbone=dict(base_channels=8)),
)
# Every label is zero in evaluation too; there is no class to be right about.
val_dataloader = dict(dataset=dict(labels=0))
val_evaluator = dict(metrics=[dict(type="FID"), dict(type="InceptionScore")])
test_dataloader, test_evaluator = val_dataloader, val_evaluator
default_hooks = dict(checkpoint=dict(save_best="fid", rule="less"))
