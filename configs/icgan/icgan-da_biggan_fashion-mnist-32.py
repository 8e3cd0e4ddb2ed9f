_base_ = "./icgan_biggan_fashion-mnist-32.py"
# DA (d, i): real images are mirrored half of the time, and so, independently, are the conditioning instances.
# The store needs the features of the mirrored images (prepare-instances --flip).
model = dict(condition_sampler=dict(flip=True), data_preprocessor=dict(flip_probability=0.5))
train_dataloader = dict(dataset=dict(flip=True))
