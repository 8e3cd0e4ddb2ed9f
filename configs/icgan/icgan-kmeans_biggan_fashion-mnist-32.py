_base_ = "./icgan_biggan_fashion-mnist-32.py"
# Training conditions on the 1,000 k-means instances alone (Table 13), which is all that has to be stored.
model = dict(condition_sampler=dict(type="KMeansInstances"))
train_dataloader = dict(dataset=dict(instances="kmeans"))
