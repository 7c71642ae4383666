"""The re-ranker: a large one taught by lists of passages, a small one taught by the large one, and the INT8 file that the platform runs.

`python -m workers.retrain.reranker --help` lists the steps. It needs the extra `train`; a model card stands beside the file, in
`models/reranker/README.md`.
"""
