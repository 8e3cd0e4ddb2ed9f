# Digits under the eyes of a network that knows clothes.
_base_ = [
    "../_base_/models/projected-small.py",
    "../_base_/datasets/digits-16.py",
    "../_base_/schedules/laptop-digits.py",
]
model = dict(
    discriminator=dict(
        backbone=dict(
            extractor=dict(_delete_=True, type="SmallClassifier", weights="fashion-mnist-32"), input_size=16
        )
    )
)
