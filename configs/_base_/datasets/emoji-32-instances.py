# The same at 32 x 32; instances are features of the 64 x 64 pictures, the judge is one of 32 x 32:
#   python tools/fetch_emoji.py data/emoji      # makes data/emoji/google, data/emoji/twitter and a table
#   mmcgan train-classifier data/emoji/google --image-size 32 --held-out 0.1 \
#       --out data/instances/emoji-32-classifier.safetensors
_base_ = "./emoji-64-instances.py"
train_dataloader = dict(dataset=dict(dataset=dict(image_size=32)))
test_evaluator = dict(
    extractor=dict(weights="data/instances/emoji-32-classifier.safetensors"),
    reference=dict(dataset=dict(image_size=32)),
)
