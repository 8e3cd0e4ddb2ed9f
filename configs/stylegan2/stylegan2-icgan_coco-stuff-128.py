# IC-GAN (StyleGAN2) of Table 2: learning rates 2.5e-3, gamma 0.05.
_base_ = [
    "../_base_/models/icgan-stylegan2.py",
    "../_base_/datasets/coco-stuff-128-instances.py",
    "../_base_/schedules/stylegan2-afhq.py",
]
