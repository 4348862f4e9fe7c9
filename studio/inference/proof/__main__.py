"""The process that proves for a screen: `python -m studio.inference.proof PROJECT RUN|MODEL`; a line says each step."""

import os
import sys
from pathlib import Path

from studio.errors import StudioError
from studio.inference.proof.proving import prove_ref
from studio.project import open_project


def main() -> None:
    """Prove what is named; say what went wrong as the last line of standard error."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    # Libraries that print must not write among the steps.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as steps:
        os.dup2(2, 1)

        def say(words: str) -> None:
            steps.write(f"{words}\n")
            steps.flush()

        try:
            prove_ref(open_project(Path(sys.argv[1])), sys.argv[2], say=say)
        except StudioError as error:
            sys.exit(str(error).replace("\n", " "))


if __name__ == "__main__":
    main()
