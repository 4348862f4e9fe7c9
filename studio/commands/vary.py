"""`studio vary`: new prompts made from existing ones, by a model or a rule; drafts until somebody approves them."""

from typing import TYPE_CHECKING

import click

from studio.commands.common import json_option, opened, project_option
from studio.commands.following import agree, end

if TYPE_CHECKING:
    from pathlib import Path


@click.command("vary")
@click.argument("methods", nargs=-1, required=True, metavar="METHOD...")
@click.option("--query", metavar="Q", default="", help="Only examples that a query finds (default: all).")
@click.option("--model", metavar="M", default="", help="A run, model, GGUF file, or endpoint:MODEL.")
@click.option("--n", type=int, default=1, show_default=True, help="Prompts of each example by each method.")
@click.option("--limit", type=click.IntRange(min=1), help="Examples, by chance where there are more (default: 100).")
@click.option("--seed", type=int, default=1, show_default=True, help="Decides all that is left to chance.")
@click.option("--send", is_flag=True, help="Agree to what leaves this machine for an endpoint.")
@click.option("--wait/--background", default=True, help="Stay until it is done, or let it go on behind.")
@project_option
@json_option
def vary(
    methods: tuple[str, ...],
    query: str,
    model: str,
    n: int,
    limit: int | None,
    seed: int,
    send: bool,
    wait: bool,
    folder: "Path",
    as_json: bool,
) -> None:
    """Make new prompts from existing ones: paraphrase, harder, shorter, persona, typos.

    Only the last message of a prompt is rewritten. What comes of it is a draft in the split of its source, and
    used for nothing until somebody approves it. Ctrl+c stops; what was made is kept.
    """
    from studio.jobs import launch
    from studio.synthetic.request import MOST_SOURCES, plan

    with opened(folder) as (project, store):
        request = plan(
            project, store, methods, model=model, query=query, limit=limit or MOST_SOURCES, n=n, seed=seed, send=send
        )
        agree(request.leaving(project), send=send)
        job_id = launch.start(project, store, "prompts", request.as_json())
        end(store, job_id, wait=wait, as_json=as_json)


COMMANDS = (vary,)
