"""`studio template`: how records become examples: versions, a preview, and applying one to what is there."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say
from studio.errors import StudioError

if TYPE_CHECKING:
    from store.database import Store
    from studio.project import Project
    from studio.settings import TemplateSettings
    from studio.templating.applying import Progress

_VERSION_HELP = "NAME:NUMBER of a version (default: the template in studio.toml)."


def _version_option(command: click.decorators.FC) -> click.decorators.FC:
    return click.option("--version", "version", metavar="NAME:NUMBER", help=_VERSION_HELP)(command)


@click.group("template")
def template() -> None:
    """How records become examples: turns as Jinja over a record's fields."""


@template.command()
@_version_option
@project_option
@json_option
def show(version: str | None, folder: Path, as_json: bool) -> None:
    """Show a template."""
    from studio.templating import versions

    with opened(folder) as (project, store):
        chosen = _chosen(project, store, version)
    if as_json:
        print_json(chosen)
    else:
        say(versions.as_toml(chosen).rstrip())


@template.command("versions")
@click.option("--diff", nargs=2, metavar="OLD NEW", help="Show what two versions say differently.")
@project_option
@json_option
def list_versions(diff: tuple[str, str] | None, folder: Path, as_json: bool) -> None:
    """List the versions of the project's templates."""
    from store.templates import examples_of_each
    from studio.templating import versions

    with opened(folder) as (_, store):
        if diff:
            lines = versions.difference(*(versions.named(store, name).template for name in diff))
            print_json(lines) if as_json else say("\n".join(lines) or "They say the same.")
            return
        found, used = versions.of_project(store), examples_of_each(store)
    if as_json:
        print_json([{**vars(version), "examples": used.get(version.id, 0)} for version in found])
        return
    for version in found:
        name = f"{version.name}:{version.number}"
        say(f"{name:<24} {version.created_at[:19]}  {used.get(version.id, 0):>9,} examples")
    if not found:
        say("There is no version yet: `studio template ready` makes a template, the template editor (T) another.")


@template.command()
@click.option("--source", "name", metavar="NAME", help="The source whose rows it is for (default: the newest).")
@click.option("--save", is_flag=True, help="Save the first one, and write it into studio.toml.")
@project_option
@json_option
def ready(name: str | None, save: bool, folder: Path, as_json: bool) -> None:
    """Make templates for the rows of a source, from what they were read as or look like."""
    from store import records
    from studio.templating import versions
    from studio.templating.saving import save_in_settings
    from studio.templating.sources import ready_for

    with opened(folder) as (project, store):
        sources = [source for source in records.sources(store) if name in (None, source.name)]
        if not sources:
            raise StudioError(f"There is no source {name!r}." if name else "There is no source yet.")
        found = ready_for(store, sources[-1].id)
        if not found:
            raise StudioError(f"Nothing is known of the rows of {sources[-1].name}.", "Write a template by hand.")
        if save:
            save_in_settings(project, found[0].template)
            versions.save(store, found[0].template)
    if as_json:
        print_json(found)
        return
    for one in found[:1] if save else found:
        say(f"# {one.title}: makes what the import made of {one.same:,} of {one.rows:,} rows")
        say(versions.as_toml(one.template))
    if save:
        say("Saved in studio.toml: later imports of such rows use it. `studio template apply` applies it to these.")


@template.command()
@_version_option
@click.option("--query", default="", metavar="QUERY", help="The records to show (default: all).")
@click.option("--limit", default=3, show_default=True, help="How many.")
@click.option("--failing", is_flag=True, help="Only records that it fails on.")
@project_option
@json_option
def preview(version: str | None, query: str, limit: int, failing: bool, folder: Path, as_json: bool) -> None:
    """Show what a template makes of records, without changing anything."""
    from studio.templating.effects import WORDS
    from studio.templating.previewing import previews

    with opened(folder) as (project, store):
        found = list(islice(previews(store, _chosen(project, store, version), query, failing=failing), limit))
    if as_json:
        print_json([one.as_json() for one in found])
        return
    for one in found:
        say(f"{one.record.source}:{one.record.line}: {WORDS[one.effect.kind]}")
        if one.effect.reason:
            place = ", ".join(filter(None, (one.effect.part, str(one.effect.place))))
            say(f"  {one.effect.reason}{f' ({place})' if place else ''}")
        for message in one.messages:
            say(f"  {message['role']}: {message['content']}")
    if not found:
        say("No record fails." if failing else "There is no such record.")


@template.command("apply")
@_version_option
@click.option("--query", default="", metavar="QUERY", help="The records to apply it to (default: all).")
@click.option("--over-edits", is_flag=True, help="Also where an example was edited by hand; the edit stays a revision.")
@click.option("--plan", "only_plan", is_flag=True, help="Only say what would change.")
@project_option
@json_option
def apply_template(
    version: str | None, query: str, over_edits: bool, only_plan: bool, folder: Path, as_json: bool
) -> None:
    """Apply a template to the records of the project; each changed example gets a new revision."""
    from studio.templating import applying

    with opened(folder) as (project, store):
        chosen = _chosen(project, store, version)
        planned = applying.plan(store, chosen, query, on_progress=_show)
        progress_done()
        if not as_json:
            for line in (*planned.described(), *(f"  {f.place}: {f.reason}" for f in planned.failures[:10])):
                say(line)
        done = None
        if not only_plan:
            over = planned.conflicts if over_edits else ()
            done = applying.apply(project, store, chosen, query, over_edits=over, on_progress=_show)
            progress_done()
            if not as_json:
                say(f"Done: {done.changed:,} examples changed, {done.made:,} made, {done.kept:,} edits kept.")
    if as_json:
        print_json({"plan": planned, "applied": done})


@template.command("back")
@click.argument("version")
@project_option
@json_option
def take_back(version: str, folder: Path, as_json: bool) -> None:
    """Bring the examples that VERSION (NAME:NUMBER) changed back to what they said before."""
    from studio.templating import applying, versions

    with opened(folder) as (_, store):
        number = applying.take_back(store, versions.named(store, version).id, on_progress=_show)
    progress_done()
    if as_json:
        print_json({"examples": number})
    else:
        say(f"{number:,} examples say again what they said before {version}.")


def _chosen(project: "Project", store: "Store", version: str | None) -> "TemplateSettings":
    from studio.templating import versions

    if version is not None:
        return versions.named(store, version).template
    own = project.settings.template
    if own is None:
        raise StudioError(
            "The project has no template.", "`studio template ready --save` makes one, or name one with --version."
        )
    return own


def _show(at: "Progress") -> None:
    progress(str(at))


COMMANDS = (template,)
