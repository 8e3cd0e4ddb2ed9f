_base_ = ["../_base_/models/biggan-unconditional.py", "../_base_/recipes/fashion-mnist-32.py"]
model = dict(
    generator=dict(channels=(64, 64, 32, 16), latent_dim=80, shared_dim=64),
    discriminator=dict(backbone=dict(channels=(16, 32, 64, 64))),
    step=dict(n_critic=2),
)
train_dataloader = dict(batch_size=64 * 2)  # batch x n_critic
# Every label is zero in evaluation too; there is no class to be right about.
val_dataloader = dict(dataset=dict(labels=0))
val_evaluator = dict(metrics=[dict(type="FID"), dict(type="InceptionScore")])
test_dataloader, test_evaluator = val_dataloader, val_evaluator
