"""Where a receipt can be mailed: an address as a person typed it (PO8)."""

import re

from holdfast.core.refusals import Refusal

ADDRESS_CHARS_MAX = 254
"""RFC 5321."""
_ADDRESS = re.compile(
    r"[^\s@<>,;:\"\\()\[\]]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}\Z"
)


def address_refusal(address: str) -> Refusal | None:
    """Why nothing can be mailed there; None where it has an address's form."""
    well_formed = address.isascii() and address.isprintable() and _ADDRESS.match(address)
    if well_formed and len(address) <= ADDRESS_CHARS_MAX:
        return None
    return Refusal("mail.address", "That is no e-mail address. Write it as in name@example.com.")
