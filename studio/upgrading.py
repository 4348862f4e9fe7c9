"""Saying on standard error that a project of an earlier version is brought up to date, and how far it is."""

import sys

import click

from store.upgrade import Upgrade
from studio.sizes import size_in_words
from studio.text import clean


def tell(at: Upgrade) -> None:
    """Say at first what is done and why; later, on a terminal, how much is copied."""
    if at.copied is None:
        click.echo(
            "This project is from an earlier version of Tuning Studio and is brought up to date once; a copy is kept"
            f" as {clean(at.backup.name)} ({size_in_words(at.size)}), which takes a while where it is large.",
            err=True,
        )
    elif sys.stderr.isatty():
        # The last line is written over by what comes next.
        click.echo(f"\r\x1b[K{at.copied:.0%} copied ...\r", nl=False, err=True)
