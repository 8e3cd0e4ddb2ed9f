_base_ = "./icgan-class_biggan_imagenet-128.py"
# Without DA (d, i): neither images nor instances are mirrored.
model = dict(condition_sampler=dict(flip=False), data_preprocessor=dict(flip_probability=0.0))
train_dataloader = dict(dataset=dict(flip=False))
