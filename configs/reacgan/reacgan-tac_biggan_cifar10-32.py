# Setting B of ReACGAN, Table A1.
_base_ = ["./reacgan_biggan_cifar10-32.py", "../_base_/parts/reacgan-tac.py"]
model = {{_base_._tac}}
