"""The states that an example has had, where they came from, and bringing one back."""

from store.database import Store, now
from store.errors import MissingRowError
from store.examples import note_own_text


def revert(store: Store, example_id: int, number: int) -> int:
    """Bring an earlier state back as the newest; no other is changed. Return the number that it gets.

    Raises:
        MissingRowError: the example has no such revision.
    """
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO revision (example_id, number, messages, tools, template_id, origin, created_at)"
            " SELECT example_id, (SELECT MAX(number) + 1 FROM revision WHERE example_id = :example),"
            " messages, tools, template_id, 'edit', :moment FROM revision"
            " WHERE example_id = :example AND number = :number",
            {"example": example_id, "number": number, "moment": now()},
        )
        if not cursor.rowcount:
            raise MissingRowError(f"There is no revision {number} of example {example_id} in this project.")
        connection.execute(
            "UPDATE example SET revision = (SELECT MAX(number) FROM revision WHERE example_id = id) WHERE id = ?",
            (example_id,),
        )
        note_own_text(connection, example_id)
        row = connection.execute("SELECT revision FROM example WHERE id = ?", (example_id,)).fetchone()
    return int(row[0])


def template_names(store: Store, example_id: int) -> dict[int, str]:
    """Return the name and version of the template that each revision was made with, by its number."""
    rows = store.connection.execute(
        "SELECT v.number, t.name, (SELECT COUNT(*) FROM template b WHERE b.name = t.name AND b.id <= t.id)"
        " FROM revision v JOIN template t ON t.id = v.template_id WHERE v.example_id = ?",
        (example_id,),
    )
    return {number: f"{name}, version {version}" for number, name, version in rows}
