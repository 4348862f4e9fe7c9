"""The faults that a project's database file can have, each with what to do about it."""


class StoreError(Exception):
    """A database file that can't be used; the message is one sentence for the user."""


class NewerSchemaError(StoreError):
    """The file was written by a newer version of the program."""


class CorruptStoreError(StoreError):
    """The file is not a database, or is damaged."""


class MissingRowError(StoreError):
    """A row was asked for by an id that the file does not hold."""
