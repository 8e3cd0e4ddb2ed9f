_base_ = [
    "../_base_/models/icgan-class.py",
    "../_base_/datasets/fashion-mnist-32-instances.py",
    "../_base_/schedules/laptop-fashion-mnist.py",
]
model = dict(
    generator=dict(channels=(64, 64, 32, 16), latent_dim=80, shared_dim=64, instance_embedding_dim=64),
    discriminator=dict(backbone=dict(channels=(16, 32, 64, 64))),
    step=dict(n_critic=2),
)
train_dataloader = dict(batch_size=64 * 2)  # batch x n_critic
# With the label of a random neighbour of the instance.
val_dataloader = dict(
    dataset=dict(condition_sampler=dict(_delete_=True, type="KMeansInstances", label="neighbour"))
)
val_evaluator = dict(
    metrics=[dict(type="FID"), dict(type="PRDC", max_images=10000), dict(type="ConditionalAccuracy")]
)
test_dataloader, test_evaluator = val_dataloader, val_evaluator
