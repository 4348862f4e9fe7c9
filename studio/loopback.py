"""Whether an address stays on this machine."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Tell whether a host's name or address means this machine, and can't be made to mean another."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
