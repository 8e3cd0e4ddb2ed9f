# Geometric GAN (Lim & Ye, 2017): DCGAN with the hinge loss.
_base_ = "./dcgan.py"
model = dict(losses=dict(adversarial=dict(type="HingeLoss")))
