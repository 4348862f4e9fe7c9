"""`studio chat-template`: which chat template is used, its traps, and another in its place."""

from pathlib import Path

import click

from studio.commands.common import json_option, print_json, progress, progress_done, project_option, say
from studio.errors import StudioError
from studio.project import open_project


@click.command("chat-template")
@click.option("--model", "-m", help="Look at this model's own template instead of the project's.")
@click.option("--set", "file", type=click.Path(path_type=Path), metavar="FILE", help="Use the template in FILE here.")
@click.option("--ready", type=click.Choice(["plain", "chatml"]), help="Use a ready template, for a base model.")
@click.option("--clear", is_flag=True, help="Use the model's own template again.")
@project_option
@json_option
def chat_template(
    model: str | None, file: Path | None, ready: str | None, clear: bool, folder: Path, as_json: bool
) -> None:
    """Show the chat template that conversations are rendered with, where it is from, and its known traps."""
    from studio import chat_templates, models, ready_templates
    from studio.rendering import load_tokenizer
    from studio.template_traps import traps

    if sum(map(bool, (model, file, ready, clear))) > 1:
        raise click.UsageError("Give one of --model, --set, --ready and --clear.")
    project = open_project(folder)
    if file:
        project = chat_templates.set_override(project, _read(file))
    elif clear:
        project = chat_templates.clear_override(project)
    base = models.resolve(model or project.settings.model)
    models.prepare(base, "tokenizer", on_progress=progress)
    progress_done()
    if ready:
        project = chat_templates.set_override(project, ready_templates.ready(ready, base))
    template = chat_templates.of_model(base) if model else chat_templates.chosen(project, base)
    if template is None:
        raise StudioError(
            f"{base.name} came without a chat template: it is a base model, made to continue texts.",
            "Use its instruction-tuned form, or teach it to answer with one: studio chat-template --ready plain.",
        )
    tokenizer = load_tokenizer(base.folder, template.text)
    found, untrained = traps(tokenizer), ready_templates.untrained_tokens(base, tokenizer)
    if as_json:
        print_json(
            {"model": base.name, "origin": template.origin, "traps": found, "untrained_tokens": untrained}
            | {"text": template.text}
        )
        return
    say(f"{base.name}, template from {template.origin}\n")
    for trap in found:
        say(f"{trap.level:<8} {trap.name}: {trap.meaning}")
    for token in untrained:
        say(
            f"warning  untrained-token: {base.name} has never learnt {token}; an adapter can't teach it, "
            "tuning=full can."
        )
    say(f"\n{template.text}" if found or untrained else f"None of the known traps was found in it.\n\n{template.text}")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise StudioError(f"{file} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise StudioError(f"{file} is not UTF-8.", "Save it as UTF-8 and try again.") from error


COMMANDS = (chat_template,)
