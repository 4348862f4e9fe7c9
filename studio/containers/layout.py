"""How rows lie in a file, as a value that can be handed on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """How rows lie in a file."""

    container: str
    """jsonl, json, csv, text, parquet or arrow."""
    encoding: str = "utf-8"
    """utf-8, utf-8-sig, utf-16-le, utf-16-be or latin-1; empty where the container has no text of its own."""
    compression: str = ""
    """gzip, zstd or empty."""
    note: str = ""
    """What a person should know about how the file is read."""
