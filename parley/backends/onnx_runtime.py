"""ONNX Runtime, told to report nothing to its makers before it is imported.

Its packages for Linux carry a reporter of usage (1.32.0: this variable's name and a collector's address stand in the library), and so do those of
onnxruntime-genai 0.18.0.
"""

import os
from typing import Any

SILENCE = "ORT_DISABLE_TELEMETRY"


def onnxruntime() -> Any:
    """The module."""
    os.environ.setdefault(SILENCE, "1")
    import onnxruntime as runtime

    runtime.disable_telemetry_events()
    return runtime
