# IC-GAN on R3GAN's networks: the instance's feature beside z, and in the inner product of the score.
_base_ = [
    "../_base_/models/r3gan-networks.py",
    "../_base_/datasets/fashion-mnist-32-instances.py",
    "../_base_/schedules/laptop-r3gan.py",
]
model = dict(
    generator=dict(
        num_classes=0,
        latent_dim=64,
        instance_embedding_dim=32,
        channels=(64, 48, 32, 16),
        groups=(8, 6, 4, 2),
        blocks=(1, 1, 1, 1),
    ),
    discriminator=dict(
        backbone=dict(channels=(16, 32, 48, 64), groups=(2, 4, 6, 8), blocks=(1, 1, 1, 1)),
        heads=dict(adv=dict(num_classes=0)),
    ),
    condition_sampler=dict(_delete_=True, type="AllInstances", num_classes=0),
    data_preprocessor=dict(flip_probability=0.0),
)
train_dataloader = dict(batch_size=64 * 2)  # batch x (discriminator's and generator's own)
