"""`studio doctor`: what this machine has and lacks, and what to do about it."""

from pathlib import Path

import click

from studio.commands.common import json_option, print_json, project_option, say


@click.command("doctor")
@project_option
@json_option
def doctor(folder: Path, as_json: bool) -> None:
    """Check this machine: Python, compiler, disk, memory, processor, GPU, packages, the default model."""
    from studio.doctor import examine

    findings = examine(folder)
    if as_json:
        print_json(findings)
    else:
        for finding in findings:
            say(f"{finding.level:<5} {finding.name:<12} {finding.text}")
            if finding.advice:
                say(f"{'':<18} {finding.advice}")
    if any(finding.level == "error" for finding in findings):
        raise click.exceptions.Exit(1)


COMMANDS = (doctor,)
