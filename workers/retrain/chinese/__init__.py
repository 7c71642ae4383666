"""The Chinese encoder: a large multilingual one cut down to the pieces of Chinese and four layers, then taught to agree with it again.

`python -m workers.retrain.chinese --help` lists the steps. It needs the extra `train`; a model card stands beside the file, in
`models/encoder_zh/README.md`.
"""
