_base_ = ["./omnigan-multi-label_biggan_emoji-32.py", "../_base_/parts/mode-seeking.py"]
model = dict(regularizers={{_base_._mode_seeking}})
