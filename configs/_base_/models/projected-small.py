# The same for 16 to 32 pixels and two CPU cores: three scales of a small frozen network. It must not be the
# network that evaluates.
_base_ = "./projected.py"
model = dict(
    generator=dict(base_channels=16, latent_dim=64, excitation_factor=4),
    discriminator=dict(
        backbone=dict(
            resize=None,
            strides=(1, 2, 4),
            end_size=4,
            mixed_channels=16,
            max_channels=64,
            min_channels=16,
        ),
        heads=dict(adv=dict(scales=3, head=dict(dim=32, embedding_dim=32))),
    ),
    data_preprocessor=dict(flip_probability=0.0),
)
