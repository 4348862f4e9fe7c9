"""`studio generate` and `studio jobs`: candidate replies, made in the background by models."""

import secrets
from typing import TYPE_CHECKING

import click

from studio.commands.common import json_option, opened, print_json, project_option, say
from studio.commands.following import end
from studio.errors import StudioError

if TYPE_CHECKING:
    from pathlib import Path

    from store.database import Store
    from store.jobs import Job
    from studio.generating.wanted import Wanted
    from studio.project import Project


@click.command("generate")
@click.option("--model", "models", multiple=True, metavar="M", help="A run, model, GGUF file, or endpoint:MODEL.")
@click.option("--n", type=int, help="Replies of each model to a prompt at each temperature.")
@click.option("--temperature", "temperatures", type=float, multiple=True, metavar="T", help="Several can be given.")
@click.option("--seed", type=int, help="Decides the seed of every reply (default: by chance).")
@click.option("--query", metavar="Q", default="", help="These prompts (default: those with fewer than two replies).")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many prompts, the first ones.")
@click.option("--pairs", metavar="KIND", help="any, models, temperatures, tuned, human or none.")
@click.option("--max-tokens", type=int, default=512, show_default=True, help="Of one reply.")
@click.option("--send", is_flag=True, help="Agree to what leaves this machine for an endpoint.")
@click.option("--wait/--background", default=True, help="Stay until it is done, or go on behind.")
@click.option("--resume", type=int, metavar="JOB", help="Go on with a job that was stopped or failed.")
@project_option
@json_option
def generate(
    models: tuple[str, ...],
    n: int | None,
    temperatures: tuple[float, ...],
    seed: int | None,
    query: str,
    limit: int | None,
    pairs: str | None,
    max_tokens: int,
    send: bool,
    wait: bool,
    resume: int | None,
    folder: "Path",
    as_json: bool,
) -> None:
    """Let models write candidate replies to prompts, and queue them to be compared.

    Ctrl+c stops it; what was made is kept.
    """
    from studio.generating import plan
    from studio.generating.wanted import wanted

    with opened(folder) as (project, store):
        if resume is not None:
            if models or temperatures or query or pairs or send or any(x is not None for x in (n, seed, limit)):
                raise StudioError("A job that goes on makes what it was asked for.", "Leave out what asks for more.")
            go_on(project, store, resume, wait=wait, as_json=as_json)
            return
        meant = plan.prompts(store, query)[:limit]
        request = wanted(
            models or (project.settings.model,),
            meant,
            n=n,
            temperatures=temperatures,
            seed=secrets.randbits(31) if seed is None else seed,
            max_tokens=max_tokens,
            pairs=pairs,
            send=send,
        )
        _say_plan(project, store, request, as_json)
        end(store, plan.begin(project, store, request), wait=wait, as_json=as_json)


@click.command("jobs")
@click.argument("job_id", type=int, required=False, metavar="[JOB]")
@click.option("--stop", type=int, metavar="JOB", help="Stop a job; what it made is kept.")
@click.option("--resume", type=int, metavar="JOB", help="Go on with a job that was stopped or failed.")
@click.option("--wait/--background", default=True, help="With --resume: stay until it is done, or not.")
@project_option
@json_option
def jobs(job_id: int | None, stop: int | None, resume: int | None, wait: bool, folder: "Path", as_json: bool) -> None:
    """List the jobs of models (new replies, new prompts, AI judge), or show one."""
    from studio.jobs import launch, watch

    with opened(folder) as (project, store):
        if resume is not None:
            go_on(project, store, resume, wait=wait, as_json=as_json)
        elif stop is not None:
            launch.stop(store, stop)
            end(store, stop, wait=True, as_json=as_json)
        elif job_id is not None:
            job = watch.job_named(store, job_id)
            log = watch.log_tail(project, job_id, 20)
            _print_job(job, log, as_json)
        else:
            _print_jobs(store, as_json)


def go_on(project: "Project", store: "Store", job_id: int, *, wait: bool, as_json: bool) -> None:
    """Resume a job and follow it."""
    from studio.jobs import launch

    launch.resume(project, store, job_id)
    end(store, job_id, wait=wait, as_json=as_json)


def _say_plan(project: "Project", store: "Store", request: "Wanted", as_json: bool) -> None:
    from studio.generating import plan
    from studio.generating.wanted import describe

    for line in [*describe(request), plan.statement(project, store, request)]:
        if line:
            say(line, err=as_json)


def _print_job(job: "Job", log: list[str], as_json: bool) -> None:
    from studio.jobs.outcome import lines
    from studio.jobs.watch import KINDS, describe

    if as_json:
        print_json(job)
        return
    say(f"job {job.id}: {KINDS[job.kind]}, {job.state}, begun {job.created_at[:16]}")
    for line in [describe(job.standing), *lines(job), *log]:
        say(line)


def _print_jobs(store: "Store", as_json: bool) -> None:
    from studio.jobs.watch import KINDS, describe, job_named, standings

    found = standings(store)
    if as_json:
        print_json([job_named(store, job.id) for job in found])
    elif not found:
        say("No jobs yet. Start one with `studio generate`.")
    else:
        for job in found:
            say(f"{job.id:>4}  {KINDS[job.kind]:<12} {job.state:<8} {job.created_at[:16]}  {describe(job)}")


COMMANDS = (generate, jobs)
