"""The proof over many texts: token ids of all of them, logits of some, for models and for a trained run.

    python tests/bench/parity_all.py [FOLDER] [--model NAME]... [--run PROJECT/runs/RUN] [--positions N]

FOLDER holds data files of any shape (default: what the demo ships); the demo's texts are compared always. Models are
`smollm2` unless others are named. Ends with status 1 where anything differs.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from studio.inference.engine import Engine
from studio.inference.proof.conversations import Conversation
from studio.inference.proof.evidence import Evidence, lines
from studio.inference.proof.logits import Amount
from studio.inference.proof.proving import prove
from studio.inference.proof.subjects import Subject, of_model, of_run
from studio.training.folder import RunFolder
from tests.studio.inference.real_texts import conversations_in

DEMO = Path(__file__).resolve().parents[2] / "sample_data"
EVERY = 37
"""Logits are compared of each text of this number, so that all files have a part in them."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--model", action="append", dest="models")
    parser.add_argument("--run", type=Path)
    parser.add_argument("--positions", type=int, default=2000)
    asked = parser.parse_args()
    texts = [*texts_of(DEMO), *(conversations_in(asked.folder) if asked.folder else ())]
    subjects = [of_run(RunFolder(asked.run))] if asked.run else []
    models = asked.models or ([] if asked.run else ["smollm2"])
    subjects += [of_model(name) for name in models]
    found = [proven(subject, texts, asked.positions) for subject in subjects]
    for evidence in found:
        print("\n".join(lines(evidence)))
    raise SystemExit(not all(evidence.equal for evidence in found))


def texts_of(folder: Path) -> Iterator[Conversation]:
    for place in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        yield from conversations_in(place)


def proven(subject: Subject, texts: list[Conversation], positions: int) -> Evidence:
    amount = Amount(texts=len(texts), positions=positions, longest=100, bytes=4 * 300_000 * positions)
    with tempfile.TemporaryDirectory() as place, Engine(Path(place) / "engine.log") as engine:
        return prove(subject, engine, texts, texts[::EVERY], amount=amount)


if __name__ == "__main__":
    main()
