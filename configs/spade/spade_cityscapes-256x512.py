# SPADE's own losses. The perceptual one needs torchvision's weights of VGG19 in the cache folder of weights;
# without them training stops before work and says which file and where. Nothing is downloaded.
_base_ = [
    "../_base_/models/spade.py",
    "../_base_/datasets/cityscapes-256x512.py",
    "../_base_/schedules/cityscapes-spade.py",
]
model = dict(
    generator=dict(base_channels=64, upsampling="more"),
    discriminator=dict(backbone=dict(base_channels=64)),
    losses=dict(perceptual=dict(type="PerceptualLoss", weights=10.0)),
    data_preprocessor=dict(flip_probability=0.5),  # map and image alike
)
