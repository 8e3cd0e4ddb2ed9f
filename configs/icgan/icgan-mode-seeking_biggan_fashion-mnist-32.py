_base_ = ["./icgan_biggan_fashion-mnist-32.py", "../_base_/parts/mode-seeking.py"]
model = dict(regularizers={{_base_._mode_seeking}})
