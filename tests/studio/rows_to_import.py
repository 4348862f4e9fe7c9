"""Files of rows to import."""

import json
from pathlib import Path

from studio.importing import FIRST_ROWS

PREFERENCES = [
    {"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"},
    {"prompt": "Bye", "chosen": "See you.", "rejected": "Go."},
]

MANY = [{"prompt": f"Question {number}", "completion": "Answer"} for number in range(FIRST_ROWS * 3)]


def written(folder: Path, name: str, rows) -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
