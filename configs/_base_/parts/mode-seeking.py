# Mode seeking (Mao et al. 2019): two latents of one condition make two images, from the first minutes on.
# Half of the images get a second one, which takes an eighth more time. The authors' weight is 1.
_mode_seeking = dict(modes=dict(type="ModeSeeking", weight=0.1, share=0.5))
