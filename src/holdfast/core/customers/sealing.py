"""Details under a person's key, as entries carry them."""

import msgspec

from holdfast.core.customers.details import Details
from holdfast.core.faults import MalformedFault
from holdfast.core.journal.personal import Sealed, seal, unseal

_details = msgspec.json.Decoder(Details)


def seal_details(person: str, key: bytes, nonce: bytes, details: Details) -> Sealed:
    """For an entry; without the key it is noise."""
    return seal(person, key, nonce, msgspec.json.encode(details))


def open_details(sealed: Sealed, key: bytes | None) -> Details | None:
    """The details; None without the key. KeyFault: a wrong one. MalformedFault: it holds no details."""
    data = unseal(sealed, key)
    if data is None:
        return None
    try:
        return _details.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedFault(f"what is sealed for person {sealed.person} is no customer: {error}") from None
