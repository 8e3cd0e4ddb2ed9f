_base_ = "./icgan-class_biggan_imagenet-lt-128.py"
train_dataloader = dict(dataset=dict(dataset=dict(image_size=256)))
