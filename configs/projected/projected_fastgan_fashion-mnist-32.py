# Clothes under the eyes of a network that learnt from them without labels; a classifier evaluates.
_base_ = [
    "../_base_/models/projected-small.py",
    "../_base_/datasets/fashion-mnist-32.py",
    "../_base_/schedules/laptop-fashion-mnist.py",
]
model = dict(
    discriminator=dict(
        backbone=dict(
            extractor=dict(_delete_=True, type="SelfSupervisedExtractor", weights="fashion-mnist-ssl"),
            strides=(2, 4, 8),
        )
    )
)
