"""Starting the trainer as a process of its own, which outlives the terminal."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from store import runs
from store.database import Store
from studio.process import started_at
from studio.training.folder import RunFolder


def spawn_trainer(store: Store, run_id: str, folder: RunFolder) -> None:
    """Start the trainer of a run, from its newest checkpoint or from its beginning.

    Raises:
        OSError: no process can be started, or its log can't be written.
    """
    # What an earlier trainer said last is not what this one says.
    if folder.status.exists():
        folder.status.replace(folder.earlier_status)
    pid = spawn_detached("studio.training.worker", [str(folder.path.resolve())], folder.log, folder.path)
    runs.update(store, run_id, status="starting", pid=pid, pid_started=started_at(pid))


def spawn_detached(module: str, arguments: Sequence[str], log: Path, folder: Path) -> int:
    """Start `python -m MODULE` in a session of its own, with all that it prints in a log; return its process id."""
    environment = {
        # Threads that spin while they wait would take the processor from the screen and from each other.
        "OMP_WAIT_POLICY": "PASSIVE",
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
    }
    # A stop that comes before the process listens waits for it, where it would have killed it.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        with log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
                cwd=folder,
            ).pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
