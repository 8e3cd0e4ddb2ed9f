# MNIST (padded) and SVHN together, 32 x 32, with the attributes digit and domain (Omni-GAN, Appendix E).
# torchvision's files under data/, or dataset.download=True.
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(type="MNISTSVHN", root="data", split="train"),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
# `mmcgan test` needs a classifier that is trained once on the real images:
#   mmcgan train-classifier omnigan-multi-label_biggan_mnist-svhn-32 --out mnist-svhn-32.safetensors
test_dataloader = dict(
    batch_size=100,
    num_workers=0,
    dataset=dict(type="AttributeConditionDataset", size=10_000),
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="gan_collate"),
)
test_evaluator = dict(
    type="GenerationEvaluator",
    extractor=dict(type="AttributeClassifier", weights="mnist-svhn-32.safetensors"),
    metrics=[dict(type="FID"), dict(type="AttributeAccuracy")],
    reference=dict(dataset=dict(type="MNISTSVHN", root="data", split="train")),
)
test_cfg = dict(type="TestLoop")
