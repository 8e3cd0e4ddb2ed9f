# A class of this plugin in every role; of mmcgan's digits config the schedule and the hooks are left.
_base_ = "{{$MMCGAN_CONFIGS:}}/biggan/biggan_digits-16.py"
model = dict(
    generator=dict(_delete_=True, type="example.PerceptronGenerator", base_channels=8),
    discriminator=dict(
        backbone=dict(_delete_=True, type="TwoConvolutions", base_channels=8),
        heads=dict(_delete_=True, cosine=dict(type="CosineHead")),
    ),
    losses=dict(_delete_=True, logistic=dict(type="LogisticLoss", inputs=dict(score="cosine.similarity"))),
    regularizers=dict(
        r1=dict(type="R1", logit="cosine.similarity"),
        small=dict(type="SmallLogits", logit="cosine.similarity", weight=0.01),
    ),
    augment=dict(type="RandomBrightness"),
    latent_sampler=dict(type="TwoClouds"),
    condition_sampler=dict(_delete_=True, type="ZipfLabel"),
)
train_dataloader = dict(batch_size=16, num_workers=0, persistent_workers=False, prefetch_factor=None)
train_dataloader["dataset"] = dict(_delete_=True, type="Stripes")
_evaluator = dict(
    _delete_=True,
    type="GenerationEvaluator",
    metrics=[dict(type="FeatureSpread")],
    extractor=dict(type="RandomFeatures"),
)
val_dataloader = dict(dataset=dict(size=64))
val_evaluator = _evaluator
test_dataloader = val_dataloader
test_evaluator = _evaluator
custom_hooks = [dict(type="PrintLossHook", interval=10)]
default_hooks = dict(checkpoint=dict(interval=10, save_best="feature_spread"))
train_cfg = dict(max_iters=40, val_interval=20)
