"""The scripts of a bundle: to train here, under Slurm and with SkyPilot; and what its reader should know."""

from dataclasses import dataclass

from studio.training.elsewhere.accelerate import WAYS
from studio.training.elsewhere.needs import pin


@dataclass(frozen=True)
class Told:
    """What the scripts say of a run."""

    run: str
    method: str
    project: str
    base_model: str
    """What the project calls it."""
    base_hash: str
    model: str
    """Where the bundle looks for it, from its own folder; empty for one that comes as a package."""
    package: str
    """The package that brings the model, with its version; empty where it lies in a folder."""
    has_model: bool
    """Whether the model came along."""


def run_script(told: Told) -> str:
    """Return `run.sh`."""
    missing = (
        f"""[ -e {told.model} ] || {{ echo "Put the base model at {told.model}: see README.md." >&2; exit 1; }}\n"""
        if told.model
        else ""
    )
    ways = "\n".join(f"#   {name:<6} {words}" for name, words in WAYS.items())
    return f"""#!/bin/sh
# Trains {told.run}, from its newest checkpoint or from its beginning.
#   ./run.sh              in one process
#   ./run.sh WAY          in PROCESSES processes (default: 2), over MACHINES machines (default: 1)
# where WAY is one of
{ways}
# On several machines start it on each, with MACHINE=0, 1 ... and HEAD=the address of machine 0. This folder has to lie
# on a disk that all of them see (NFS, Lustre, a shared volume): a copy on each is refused.
set -eu
cd "$(dirname "$0")"
{missing}PYTHON=${{PYTHON:-python3}}
RUN=runs/{told.run}
export PYTHONPATH="$PWD/source${{PYTHONPATH:+:$PYTHONPATH}}"
case "${{1:-}}" in zero*)
    "$PYTHON" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("deepspeed") is None)' || {{
        echo "$1 needs DeepSpeed: pip install '{pin("deepspeed")}'" >&2
        exit 1
    }} ;;
esac
export PYTHONUNBUFFERED=1 TOKENIZERS_PARALLELISM=false OMP_WAIT_POLICY="${{OMP_WAIT_POLICY:-PASSIVE}}"
export HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1
# Seconds in which the processes may end a step and write a checkpoint when they are stopped; torch gives them 30.
export TORCH_ELASTIC_SHUTDOWN_TIMEOUT="${{TORCH_ELASTIC_SHUTDOWN_TIMEOUT:-270}}"

if [ $# -eq 0 ]; then
    "$PYTHON" -m studio.training.worker "$RUN" >>"$RUN/log.txt" 2>&1 &
else
    "$PYTHON" -m accelerate.commands.launch --config_file "configs/$1.yaml" \\
        --num_processes "${{PROCESSES:-2}}" --num_machines "${{MACHINES:-1}}" --machine_rank "${{MACHINE:-0}}" \\
        --main_process_ip "${{HEAD:-127.0.0.1}}" --main_process_port "${{PORT:-29500}}" \\
        -m studio.training.worker "$RUN" >>"$RUN/log.txt" 2>&1 &
fi
trainer=$!
# A stop goes on to the trainer, which ends after its step; the results are written down all the same.
trap 'kill -TERM "$trainer" 2>/dev/null || true' TERM INT HUP
status=0
while :; do
    wait "$trainer" && status=0 || status=$?
    kill -0 "$trainer" 2>/dev/null || break
done
if [ "${{MACHINE:-0}}" = 0 ]; then
    "$PYTHON" -m studio.training.elsewhere.results "$RUN"
fi
exit "$status"
"""


def slurm_script(told: Told) -> str:
    """Return `slurm.sh`, an example to change."""
    return f"""#!/bin/bash
# sbatch slurm.sh [WAY], in this folder, on a file system that all nodes see. Set what your cluster calls its
# partition, and how long it may take; add `module load` or `conda activate` lines as your site needs them.
#SBATCH --job-name={told.run}
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=16
#SBATCH --time=08:00:00
#SBATCH --output=slurm-%j.txt
#SBATCH --signal=TERM@300
# The signal comes five minutes before the time is over: the run stops after its step, with a checkpoint. Started
# again, it goes on from there.
set -eu
export WAY=${{1:-ddp}}
export GPUS=${{SLURM_GPUS_ON_NODE:-4}}
export MACHINES=$SLURM_NNODES PROCESSES=$((SLURM_NNODES * GPUS)) PORT=29500
HEAD=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export HEAD
srun --kill-on-bad-exit=1 bash -c 'MACHINE=$SLURM_NODEID exec ./run.sh "$WAY"'
"""


def skypilot_task(told: Told) -> str:
    """Return `sky.yaml`, an example to change."""
    package = f"  pip install --no-deps {told.package}\n" if told.package else ""
    return f"""# sky launch -c studio sky.yaml, in this folder. Change the GPUs to what you want to pay for.
# Nodes share no disk. For more than one, mount what all of them see and can append to files on (`volumes:`, NFS; most
# mounts of buckets can't append), put this folder there once, and begin `run` with a `cd` to it.
# Fetch the results with: rsync -a studio:sky_workdir/runs/{told.run} runs/
# then in the project: studio import-run THIS_FOLDER
name: {told.run}
workdir: .
num_nodes: 1
resources:
  accelerators: A100:4
  disk_size: 256
envs:
  WAY: ddp  # zero2 and zero3 need '{pin("deepspeed")}' in the setup
setup: |
  pip install -r requirements.txt '{pin("liger-kernel")}'
{package}run: |
  export MACHINES=$SKYPILOT_NUM_NODES
  export MACHINE=$SKYPILOT_NODE_RANK
  export PROCESSES=$((SKYPILOT_NUM_NODES * SKYPILOT_NUM_GPUS_PER_NODE))
  export HEAD=$(echo "$SKYPILOT_NODE_IPS" | head -n 1)
  sh run.sh "$WAY"
"""


def readme(told: Told) -> str:
    """Return the README of a bundle to train with."""
    if told.has_model:
        model = f"It came along, at `{told.model}`."
    elif told.package:
        model = f"It is a package: `pip install --no-deps {told.package}`."
    else:
        model = f"It did not come along: put the same files at `{told.model}`."
    return f"""# {told.run} of {told.project}

A {told.method} run of Tuning Studio to be trained on this machine. It holds the rows that it learns from.

    python3 -m venv .venv && . .venv/bin/activate
    pip install -r requirements.txt
    pip install '{pin("liger-kernel")}'         # on NVIDIA GPUs: quicker layers
    pip install '{pin("deepspeed")}'         # for `./run.sh zero2` and `zero3` alone
    ./run.sh                                # one process; see its first lines for several

The base model is {told.base_model}, SHA-256 `{told.base_hash}`. {model} Other files are refused when the run starts.

- `runs/{told.run}/log.txt` has all that the trainer prints, `metrics.jsonl` its measurements.
- Stop it with SIGTERM or Ctrl-C: it ends after its step with a checkpoint, and `./run.sh` goes on from there.
- So it does when its terminal goes away: over SSH start it in tmux, or as `setsid nohup ./run.sh >/dev/null 2>&1 &`.
- `slurm.sh` and `sky.yaml` are examples for Slurm and SkyPilot.
- With several processes the batch that the recipe names is shared out between them: the result is that of one.

Bring this folder back and take the results over, in the project: `studio import-run FOLDER`.
"""
