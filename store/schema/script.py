"""Running the statements of a step."""

import sqlite3

import sqlite_utils


def run_script(db: sqlite_utils.Database, script: str) -> None:
    """Run statements one after the other, in the transaction that is open."""
    # Not executescript: that commits first, and a migration must be all or nothing.
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""
