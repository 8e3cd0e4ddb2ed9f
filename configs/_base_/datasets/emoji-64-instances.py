# Emoji of two vendors at 64 x 64, without their names, and what IC-GAN asks for: images and their neighbours.
#   python tools/fetch_emoji.py data/emoji
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
