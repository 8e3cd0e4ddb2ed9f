# ReACGAN's D2D-CE beside a hinge loss of patches, both on every scale.
_base_ = ["./projected-unconditional_fastgan_fashion-mnist-32.py", "../_base_/parts/d2dce.py"]
model = dict(
    generator=dict(num_classes=10),
    discriminator=dict(
        heads=dict(
            cls=dict(
                type="EachScale",
                scales=3,
                head=dict(type="OnWindows", head=dict(type="ProxyHead", embed_dim=64)),
            )
        )
    ),
    losses=dict(contrastive={{_base_._d2dce}}),
    condition_sampler=dict(_delete_=True, type="EmpiricalLabel"),
)
val_dataloader = dict(dataset=dict(num_classes=10))
val_evaluator = dict(
    metrics=[dict(type="FID"), dict(type="InceptionScore"), dict(type="ConditionalAccuracy")]
)
test_dataloader, test_evaluator = val_dataloader, val_evaluator
