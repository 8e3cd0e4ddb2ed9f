_base_ = [
    "../_base_/models/icgan-class.py",
    "../_base_/datasets/digits-16-instances.py",
    "../_base_/schedules/laptop-digits.py",
]
model = dict(
    generator=dict(
        base_channels=8, latent_dim=48, shared_dim=32, instance_embedding_dim=32, spectral_norm=None
    ),
    discriminator=dict(backbone=dict(base_channels=8)),
)
val_dataloader = dict(dataset=dict(condition_sampler=dict(_delete_=True, type="AllInstances")))
val_evaluator = dict(
    metrics=[dict(type="FID"), dict(type="PRDC", max_images=5000), dict(type="ConditionalAccuracy")]
)
test_dataloader, test_evaluator = val_dataloader, val_evaluator
