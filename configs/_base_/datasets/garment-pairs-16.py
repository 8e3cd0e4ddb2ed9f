# Two garments of Fashion-MNIST in the red and the green channel, 16 x 16: 100 classes of some 600 images.
_base_ = "./digits-16.py"
_pairs = dict(_delete_=True, type="GarmentPairs", split="train")
train_dataloader = dict(dataset=_pairs)
val_evaluator = dict(
    extractor=dict(_delete_=True, type="PairClassifier"),
    reference=dict(dataset=dict(_pairs, count=10000)),
)
test_evaluator = val_evaluator
