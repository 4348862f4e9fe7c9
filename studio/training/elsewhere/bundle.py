"""A run as one folder or archive for another machine: to train it there, or to use what was trained."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import store as store_package
import studio as studio_package
from store import snapshots
from store.database import Store
from store.runs import ACTIVE, Run
from studio import __version__
from studio.errors import StudioError
from studio.models import PACKAGED, BaseModel, gguf_of, resolve
from studio.project import Project
from studio.training.elsewhere.accelerate import WAYS, config_of
from studio.training.elsewhere.card import Trained, model_card, modelfile
from studio.training.elsewhere.needs import pin, requirements
from studio.training.elsewhere.packing import Content, pack
from studio.training.elsewhere.portable import portable
from studio.training.elsewhere.results import FILE, given_files, sha256
from studio.training.elsewhere.scripts import Told, readme, run_script, skypilot_task, slurm_script
from studio.training.folder import RunFolder
from studio.training.history.watch import sync_run
from studio.training.recipe import read_recipe

Purpose = Literal["training", "use"]

ABOUT = "bundle.json"
"""Says what a bundle is of."""

_LEFT = ("status.json", "status.earlier.json", "log.txt", FILE)
"""What the trainer here said, which a trainer elsewhere says anew."""

_USED = ("adapter", "adapter.gguf", "model", "model.gguf", "tokenizer", "recipe.toml", "parity.json")
"""What using a model needs of its run."""


@dataclass(frozen=True)
class About:
    """What a bundle is of."""

    purpose: Purpose
    run: str
    created_at: str
    project: str
    snapshot: str
    counts: dict[str, object]
    base_model: str
    base_hash: str | None
    parent: str | None
    studio_version: str
    given: dict[str, str]
    """The SHA-256 of each file that decides the run's results."""


def bundle(
    project: Project, store: Store, run_id: str, out: Path, *, purpose: Purpose = "training", with_model: bool = False
) -> list[str]:
    """Write a run into a folder or a `.tar.zst`; return what is in it, by path.

    Raises:
        StudioError: the run is going on, its folder is not complete, there is nothing to use yet, or the model is
            not to be had.
    """
    run = sync_run(project, store, run_id)
    if run.status in ACTIVE:
        raise StudioError(f"{run_id} is {run.status}.", f"Wait for it, or stop it: studio stop {run_id}.")
    folder = RunFolder(project.runs / run_id)
    if not folder.recipe.is_file():
        raise StudioError(f"{folder.path} is gone or not complete.", f"Start anew: studio train {run.method}.")
    base = resolve(run.base_model) if with_model else None
    fill = _to_train if purpose == "training" else _to_use
    about = _about(project, store, run, folder, purpose)
    files = portable(fill(project, run, folder, base, about), about.base_model)
    files[ABOUT] = json.dumps(asdict(about), indent=1).encode()
    pack(files, out)
    return list(files)


def _about(project: Project, store: Store, run: Run, folder: RunFolder, purpose: Purpose) -> About:
    return About(
        purpose=purpose,
        run=run.id,
        created_at=run.created_at,
        project=project.settings.name,
        snapshot=run.snapshot_id,
        counts=snapshots.get(store, run.snapshot_id).counts,
        base_model=_shown(run.base_model),
        base_hash=run.base_hash,
        parent=run.parent_id,
        studio_version=__version__,
        given={name: sha256(folder.path / name) for name in given_files(folder.path)},
    )


def _to_train(
    project: Project, run: Run, folder: RunFolder, base: BaseModel | None, about: About
) -> dict[str, Content]:
    described = json.loads(folder.description.read_text(encoding="utf-8").replace(run.base_model, about.base_model))
    inside = f"runs/{run.id}"
    files: dict[str, Content] = dict(_tree(folder.path, inside, leave=_LEFT))
    told = Told(
        run=run.id,
        method=run.method,
        project=about.project,
        base_model=about.base_model,
        base_hash=run.base_hash or "",
        model=_place(run.base_model),
        package=pin(PACKAGED[run.base_model][0].replace("_", "-")) if run.base_model in PACKAGED else "",
        has_model=base is not None,
    )
    if base is not None:
        files |= _model_files(base)
        told = Told(**{**asdict(told), "model": _carried(base), "package": ""})
    if told.model:
        described["base_model"] = f"./{told.model}"
    files[f"{inside}/run.json"] = json.dumps(described, indent=1).encode()
    if folder.status.is_file():
        # What earlier parts of the run found stays known.
        files[f"{inside}/status.earlier.json"] = folder.status
    if described["parent_adapter"]:
        files |= _tree(project.runs / described["parent_adapter"], f"runs/{described['parent_adapter']}")
    scripts = {"run.sh": run_script, "slurm.sh": slurm_script, "sky.yaml": skypilot_task, "README.md": readme}
    return {
        **files,
        **{name: write(told).encode() for name, write in scripts.items()},
        "requirements.txt": requirements().encode(),
        **{f"configs/{way}.yaml": config_of(way) for way in WAYS},
        **_source(),
    }


def _to_use(_: Project, run: Run, folder: RunFolder, base: BaseModel | None, about: About) -> dict[str, Content]:
    if not folder.adapter.is_dir() and not folder.model.is_dir():
        raise StudioError(f"{run.id} has nothing to use yet; it is {run.status}.", "Bundle it --for training.")
    files: dict[str, Content] = {}
    for name in _USED:
        path = folder.path / name
        files |= _tree(path, name) if path.is_dir() else {name: path} if path.is_file() else {}
    if base is not None:
        files |= {f"base/{name.partition('/')[2]}": path for name, path in _model_files(base).items()}
    trained = Trained(
        run=run.id,
        name=run.name,
        note=run.note,
        project=about.project,
        base_model=about.base_model,
        base_hash=run.base_hash or "",
        recipe=read_recipe(folder.recipe),
        counts=about.counts,
        result=run.result,
        files=frozenset(name.partition("/")[0] for name in files),
        base_file=next((name for name in files if name.startswith("base/") and name.endswith(".gguf")), "base.gguf"),
    )
    files["README.md"] = model_card(trained).encode()
    if trained.files & {"adapter.gguf", "model.gguf"}:
        files["Modelfile"] = modelfile(trained).encode()
    return files


def _tree(folder: Path, inside: str, leave: tuple[str, ...] = ()) -> Iterator[tuple[str, Content]]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and parts[0] not in leave and not parts[0].startswith("."):
            yield "/".join((inside, *parts)), path


def _source() -> dict[str, Content]:
    """Return the trainer's own code, so that what trains elsewhere is what would have trained here."""
    found: dict[str, Content] = {}
    for package in (studio_package, store_package):
        folder = Path(str(package.__file__)).parent
        tree = _tree(folder, f"source/{folder.name}")
        found |= {name: path for name, path in tree if "/__pycache__/" not in name}
    return found


def _model_files(base: BaseModel) -> dict[str, Content]:
    if base.kind == "gguf":
        return {_carried(base): base.source}
    wanted = (".safetensors", ".json", ".jinja", ".txt", ".model")
    return {f"model/{path.name}": path for path in sorted(base.source.iterdir()) if path.suffix in wanted}


def _carried(base: BaseModel) -> str:
    gguf = gguf_of(base)
    return f"model/{gguf.name}" if gguf else "model"


def _place(base_model: str) -> str:
    """Return where a bundle looks for a model that is named by its path here; empty for one that is a package."""
    if base_model in PACKAGED:
        return ""
    return f"model/{Path(base_model).name}" if base_model.endswith(".gguf") else "model"


def _shown(base_model: str) -> str:
    """Return a model's name without its place on this machine."""
    return base_model if base_model in PACKAGED else Path(base_model).name
