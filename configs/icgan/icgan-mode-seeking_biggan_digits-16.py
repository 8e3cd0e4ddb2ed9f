_base_ = ["./icgan_biggan_digits-16.py", "../_base_/parts/mode-seeking.py"]
model = dict(regularizers={{_base_._mode_seeking}})
