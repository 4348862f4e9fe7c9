"""`studio judge`: a model as second reader of the pairs that the person has decided."""

from typing import TYPE_CHECKING

import click

from studio.commands.common import json_option, opened, print_json, project_option, say
from studio.commands.following import agree, follow
from studio.commands.following import report as tell_end

if TYPE_CHECKING:
    from pathlib import Path

    from store.database import Store
    from store.jobs import Job


@click.command("judge")
@click.option("--model", metavar="M", default="", help="A run, model, GGUF file, or endpoint:MODEL.")
@click.option(
    "--task", metavar="T", default="", help="Only pairs decided in this task; the judge gets its instructions."
)
@click.option("--rater", metavar="R", default="", help="Whose verdicts (default: yours).")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many pairs, new ones first.")
@click.option("--report", "only_report", is_flag=True, help="Ask nothing; print what is known.")
@click.option("--send", is_flag=True, help="Agree to what leaves this machine for an endpoint.")
@click.option("--wait/--background", default=True, help="Stay until it is done, or let it go on behind.")
@project_option
@json_option
def judge(
    model: str,
    task: str,
    rater: str,
    limit: int | None,
    only_report: bool,
    send: bool,
    wait: bool,
    folder: "Path",
    as_json: bool,
) -> None:
    """Ask a model about the pairs that you have decided, in both orders, and say how far it agrees with you.

    What it says is never written as your verdict, and never shown before yours. Ctrl+c stops; what was judged is kept.
    """
    from studio.ai_judge.request import plan
    from studio.jobs import launch

    with opened(folder) as (project, store):
        if only_report:
            _print(store, rater or project.rater, None, as_json)
            return
        request = plan(project, store, model=model, task=task, rater=rater, limit=limit, send=send)
        agree(request.leaving(project), send=send)
        job_id = launch.start(project, store, "judge", request.as_json())
        job = follow(store, job_id) if wait else None
        if not wait:
            say(f"Job {job_id} asks about {len(request.pairs):,} pairs; `studio jobs` shows it.", err=as_json)
        _print(store, rater or project.rater, job, as_json)


def _print(store: "Store", rater: str, job: "Job | None", as_json: bool) -> None:
    from studio.ai_judge.report import counted, lines, read

    found = read(store, rater)
    if as_json:
        print_json({"job": job, "report": found})
        if job and job.state == "failed":
            raise click.exceptions.Exit(1)
        return
    if job:
        tell_end(job, counted(job), as_json=False)
    for line in lines(found) if found else ["No judge was asked yet: studio judge --model M."]:
        say(line)


COMMANDS = (judge,)
