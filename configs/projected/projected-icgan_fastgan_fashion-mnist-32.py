# IC-GAN's instances in FastGAN's batch norms and in the patches of every scale.
_base_ = [
    "../_base_/models/projected-small.py",
    "../_base_/datasets/fashion-mnist-32-instances.py",
    "../_base_/schedules/laptop-fashion-mnist.py",
]
model = dict(
    generator=dict(num_classes=0, instance_embedding_dim=64),
    discriminator=dict(
        backbone=dict(
            extractor=dict(_delete_=True, type="SelfSupervisedExtractor", weights="fashion-mnist-ssl"),
            strides=(2, 4, 8),
        ),
        heads=dict(adv=dict(head=dict(num_classes=0))),
    ),
    condition_sampler=dict(_delete_=True, type="AllInstances", num_classes=0),
)
