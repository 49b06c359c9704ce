"""Which addresses are of this computer only, so that whoever listens there needs to ask nobody who comes."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a name or address reaches this computer only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
