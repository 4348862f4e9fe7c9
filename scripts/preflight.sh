#!/bin/sh
# Says in one sentence what this machine lacks for the installation, before anything is downloaded.
# Usage: preflight.sh PYTHON FOLDER
set -u
python=$1
folder=$2

fail() {
    echo "Tuning Studio can't be installed: $1" >&2
    exit 1
}

command -v "$python" >/dev/null 2>&1 ||
    fail "there is no $python; install Python 3.11 or newer, or name yours: make PYTHON=/path/to/python3."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$python is $("$python" -V 2>&1); Python 3.11 or newer is needed (name another: make PYTHON=python3.12)."
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
    fail "$python has no venv module; install it (on Debian and Ubuntu: apt install python3-venv)."
if ! "$python" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("llama_cpp") is None)' 2>/dev/null; then
    { command -v "${CXX:-c++}" || command -v g++ || command -v clang++; } >/dev/null 2>&1 ||
        fail "no C++ compiler was found and llama.cpp is compiled here; install one (on Debian and Ubuntu: apt install g++)."
fi
needed_mb=4000
free_mb=$(df -Pm "$folder" | awk 'NR == 2 { print $4 }')
[ "${free_mb:-0}" -ge "$needed_mb" ] ||
    fail "$folder has $free_mb MB free and $needed_mb MB are needed (4 GB: packages, the model, a first run)."
