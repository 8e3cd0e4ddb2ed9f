# The same networks and budget as spade_scenes-64 with the per-pixel omni-loss in place of the GAN loss.
_base_ = [
    "../_base_/models/spade-omni.py",
    "../_base_/datasets/scenes-64.py",
    "../_base_/schedules/laptop-scenes.py",
]
_layers = [f"feature.layer_{scale}_{index}" for scale in range(2) for index in range(3)]
model = dict(
    generator=dict(channels=(44, 44, 44, 40, 32, 32, 24, 16), hidden_channels=16),
    # three layers instead of four: the scores of 64 x 64 pixels are 19 x 19, not 11 x 11
    discriminator=dict(backbone=dict(base_channels=16, num_layers=3)),
    losses=dict(features=dict(inputs=dict(feature=_layers), weights=10.0 * 3)),
    # what pictures of progress are painted from; in training the maps are those of the mini-batch
    condition_sampler=dict(dataset=dict(type="Scenes", split="test", image_size=64)),
    data_preprocessor=dict(channels_last=True),
)
optim_wrapper = dict(discriminator=dict(optimizer=dict(weight_decay=1e-4)))
