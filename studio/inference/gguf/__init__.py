"""GGUF files: read, and written from what was trained."""

from studio.inference.gguf.adapter import adapter_to_gguf
from studio.inference.gguf.facts import GgufFacts, describe
from studio.inference.gguf.whole import model_to_gguf, widen

__all__ = ["GgufFacts", "adapter_to_gguf", "describe", "model_to_gguf", "widen"]
