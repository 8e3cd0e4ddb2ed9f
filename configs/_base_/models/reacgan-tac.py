# ReACGAN + TAC (ReACGAN, Appendix E).
_base_ = ["./reacgan.py", "../parts/reacgan-tac.py"]
model = {{_base_._tac}}
