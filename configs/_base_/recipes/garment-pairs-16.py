# Pairs of garments on a laptop: twice as long as digits, with a look at the discriminator on held-out images.
_base_ = ["../datasets/garment-pairs-16.py", "../schedules/laptop-digits.py"]
train_cfg = dict(max_iters=3000, val_interval=600)
custom_hooks = [
    dict(
        type="DiscriminatorDiagnosticsHook",
        interval=100,
        validation=dict(type="GarmentPairs", split="test"),
    )
]
