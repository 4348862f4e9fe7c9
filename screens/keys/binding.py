"""How a key is declared."""

from textual.binding import Binding


def key(keys: str, action: str, label: str, id: str, help: str, *, show: bool = True) -> Binding:
    """Return a binding; `id` is what the user's changes name it by, `help` what `?` says of it."""
    return Binding(keys, action, label, id=id, tooltip=help, show=show)
