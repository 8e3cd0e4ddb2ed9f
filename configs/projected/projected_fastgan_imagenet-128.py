# Projected GAN with FastGAN, conditional at 128 pixels: 1,000 classes in the batch norms and in every scale.
_base_ = [
    "../_base_/models/projected.py",
    "../_base_/datasets/imagenet-128.py",
    "../_base_/schedules/projected.py",
]
model = dict(
    generator=dict(light=False),
    # nearly balanced: no need to count the images of every class
    condition_sampler=dict(_delete_=True, type="UniformLabel"),
)
