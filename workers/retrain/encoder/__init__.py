"""The sentence encoder: prepare its data, train it further, write the INT8 file that the platform runs, compare the two.

`python -m workers.retrain.encoder --help` lists the steps. It needs the extra `train`; a model card stands beside the file, in
`models/encoder/README.md`.
"""
