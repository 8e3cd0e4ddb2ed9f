# ADC over embeddings: a second proxy of every class, for generated images.
_base_ = ["./reacgan_biggan_fashion-mnist-32.py", "../_base_/parts/reacgan-adc.py"]
model = {{_base_._adc}}
