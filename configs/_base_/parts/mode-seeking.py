# Mode seeking (Mao et al. 2019): two latents of one condition make two images, from the first minutes on.
# Half of the images get a second one (an eighth more time on 600 garments). Of the weights 0.05, 0.1, 0.3
# and the authors' 1, 0.1 gave the best FID on digits with the omni-loss; more varies more, less often right.
_mode_seeking = dict(modes=dict(type="ModeSeeking", weight=0.1, share=0.5))
