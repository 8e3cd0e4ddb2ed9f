# Emoji of two vendors at 32 x 32 with two attributes, category and vendor.
#   python tools/fetch_emoji.py data/emoji
# The judge is a classifier of both (a minute's work):
#   mmcgan train-classifier omnigan-multi-label_biggan_emoji-32 \
#       --out data/emoji-32-attributes.safetensors
_images = dict(
    type="AttributeFolder",
    root="data/emoji",
    table="data/emoji/attributes.csv",
    image_size=32,
    in_memory=True,
)
train_dataloader = dict(
    batch_size=64,
    dataset=dict(split="train", **_images),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
test_dataloader = dict(
    batch_size=100,
    dataset=dict(type="AttributeConditionDataset", size=5000),
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="gan_collate"),
)
test_cfg = dict(type="TestLoop")
test_evaluator = dict(
    type="GenerationEvaluator",
    extractor=dict(type="AttributeClassifier", weights="data/emoji-32-attributes.safetensors"),
    metrics=[dict(type="FID"), dict(type="AttributeAccuracy"), dict(type="PRDC")],
    reference=dict(dataset=dict(split="train", **_images)),
)
