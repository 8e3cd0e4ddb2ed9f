# LSGAN (Mao et al., 2017): DCGAN with least squares.
_base_ = "./dcgan.py"
model = dict(losses=dict(adversarial=dict(type="LeastSquaresLoss")))
