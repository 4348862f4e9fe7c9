"""A run as one folder or archive, to be trained on another machine."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import store as store_package
import studio as studio_package
from store.database import Store
from store.runs import Run
from studio.models import BaseModel, check_unchanged, gguf_of, resolve
from studio.packaged import PACKAGED
from studio.project import Project
from studio.training.elsewhere.about import ABOUT, About, about_run, at_rest
from studio.training.elsewhere.accelerate import WAYS, config_of
from studio.training.elsewhere.needs import pin, requirements
from studio.training.elsewhere.packing import Content, pack, tree
from studio.training.elsewhere.portable import portable
from studio.training.elsewhere.results import FILE
from studio.training.elsewhere.scripts import Told, readme, run_script, skypilot_task, slurm_script
from studio.training.folder import RunFolder, read_status
from studio.training.recipe_file import read_recipe

_LEFT = ("status.json", "status.earlier.json", "log.txt", "engine.log", "parity.json", "quantised", FILE)
"""What the trainer here said, which a trainer elsewhere says anew, and what was made of its results."""


def bundle(project: Project, store: Store, run_id: str, out: Path, *, with_model: bool = False) -> list[str]:
    """Write a run with its rows into a folder or a `.tar.zst`; return what is in it, by path.

    Raises:
        StudioError: the run is going on or waits, its folder is not complete, or the model is not as it was.
    """
    run, folder = at_rest(project, store, run_id)
    base = resolve(run.base_model) if with_model else None
    if base is not None:
        check_unchanged(base, run.base_hash)
    about = about_run(project, store, run, folder, "training")
    files = portable(_to_train(project, run, folder, base, about), about.base_model)
    files[ABOUT] = about.as_json()
    pack(files, out)
    return list(files)


def _to_train(
    project: Project, run: Run, folder: RunFolder, base: BaseModel | None, about: About
) -> dict[str, Content]:
    described = {
        name: value.replace(run.base_model, about.base_model) if isinstance(value, str) else value
        for name, value in json.loads(folder.description.read_bytes()).items()
    }
    inside = f"runs/{run.id}"
    files: dict[str, Content] = dict(tree(folder.path, inside, leave=_LEFT))
    told = Told(
        run=run.id,
        method=run.method,
        project=about.project,
        base_model=about.base_model,
        base_hash=run.base_hash or "",
        model=_place(run.base_model),
        package=pin(PACKAGED[run.base_model].package) if run.base_model in PACKAGED else "",
        has_model=base is not None,
    )
    if base is not None:
        files |= model_files(base)
        told = Told(**{**asdict(told), "model": _carried(base), "package": ""})
    if told.model:
        described["base_model"] = f"./{told.model}"
    files[f"{inside}/run.json"] = json.dumps(described, indent=1).encode()
    if status := read_status(folder):
        # What earlier parts of the run found stays known; what ended them may name places of this machine.
        earlier = json.dumps(asdict(replace(status, error=None)), indent=1)
        files[f"{inside}/{folder.earlier_status.name}"] = earlier.encode()
    if described["parent_adapter"]:
        files |= tree(project.runs / described["parent_adapter"], f"runs/{described['parent_adapter']}")
    scripts = {"run.sh": run_script, "slurm.sh": slurm_script, "sky.yaml": skypilot_task, "README.md": readme}
    return {
        **files,
        **{name: write(told).encode() for name, write in scripts.items()},
        "requirements.txt": requirements(read_recipe(folder.recipe)).encode(),
        **{f"configs/{way}.yaml": config_of(way) for way in WAYS},
        **_source(),
    }


def _source() -> dict[str, Content]:
    """Return the trainer's own code, so that what trains elsewhere is what would have trained here."""
    found: dict[str, Content] = {}
    for package in (studio_package, store_package):
        folder = Path(str(package.__file__)).parent
        inside = tree(folder, f"source/{folder.name}")
        found |= {name: path for name, path in inside if "/__pycache__/" not in name}
    return found


def model_files(base: BaseModel) -> dict[str, Content]:
    """Return the files of a base model, by their path in a bundle."""
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
