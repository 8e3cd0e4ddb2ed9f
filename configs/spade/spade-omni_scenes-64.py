# The same networks and budget as spade_scenes-64 with the per-pixel omni-loss in place of the GAN loss.
_base_ = ["./spade_scenes-64.py", "../_base_/parts/spade-omni.py"]
model = {{_base_._omni}}
optim_wrapper = dict(discriminator=dict(optimizer=dict(weight_decay=1e-4)))
