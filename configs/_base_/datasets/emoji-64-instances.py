# Emoji of two vendors at 64 x 64, without their names, and what IC-GAN asks for: images and their neighbours.
#   python tools/fetch_emoji.py data/emoji      # makes data/emoji/google, data/emoji/twitter and a table
#   mmcgan prepare-instances --dataset projected-icgan_fastgan_emoji-64 --k 20 --kmeans 500 \
#       --out data/instances/emoji-64
_images = dict(
    type="AttributeFolder",
    root="data/emoji",
    table="data/emoji/attributes.csv",
    split="train",
    image_size=64,
    in_memory=True,
)
train_dataloader = dict(
    batch_size=32,
    dataset=dict(type="NeighbourhoodDataset", dataset=_images, store="data/instances/emoji-64", k=20),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
# mmcgan test looks through a small classifier of Google's categories, which no discriminator sees:
#   mmcgan train-classifier data/emoji/google --image-size 64 --held-out 0.1 \
#       --out data/instances/emoji-64-classifier.safetensors
test_dataloader = dict(
    batch_size=100,
    dataset=dict(
        type="InstanceConditionDataset",
        size=5000,
        condition_sampler=dict(type="AllInstances", num_classes=0),
    ),
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="gan_collate"),
)
test_cfg = dict(type="TestLoop")
test_evaluator = dict(
    type="GenerationEvaluator",
    extractor=dict(type="SmallClassifier", weights="data/instances/emoji-64-classifier.safetensors"),
    metrics=[dict(type="FID"), dict(type="KID"), dict(type="PRDC"), dict(type="Memorization")],
    reference=dict(dataset=_images),
)
