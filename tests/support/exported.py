"""The tiny Llama as ONNX Runtime takes it, exported once a session."""

from pathlib import Path

from parley.backends.onnx_export import Precision, export_onnx
from tests.support.tiny_models import TinyModels


def exported(models: TinyModels, precision: Precision) -> Path:
    folder = models.root / f"onnx-{precision}"
    if not folder.exists():
        export_onnx(models.llama, folder, precision)
    return folder
