"""`studio problems`: the rows that can't be read, or mean less than they seem to."""

from pathlib import Path

import click

from studio.commands.common import json_option, opened, print_json, project_option, say


@click.command("problems")
@click.option("--out", type=click.Path(path_type=Path), help="Write them to this file (.jsonl) with their own text.")
@project_option
@json_option
def problems(out: Path | None, folder: Path, as_json: bool) -> None:
    """List the rows that can't be read, or mean less than they seem to, with file, line and reason."""
    from studio.problems import as_fields, write_problems
    from studio.problems import problems as find

    with opened(folder) as (_, store):
        if out:
            count = write_problems(store, out)
            if as_json:
                print_json({"path": str(out), "rows": count})
            else:
                say(f"{out}: {count:,} rows with their file, line, reason and text.")
        elif as_json:
            print_json([as_fields(problem) for problem in find(store)])
        else:
            count = 0
            for count, problem in enumerate(find(store), start=1):  # noqa: B007
                say(str(problem))
            say(f"{count:,} rows." if count else "No row has a problem.", err=True)


COMMANDS = (problems,)
