"""The proof that what was trained is what is run: texts, tokens, special tokens, weights, adapter and logits."""

from studio.inference.proof.evidence import Check, Evidence, Finding, read

__all__ = ["Check", "Evidence", "Finding", "read"]
