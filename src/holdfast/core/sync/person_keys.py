"""Keys of persons on their way to head office: beside the journal, never in it.

Whoever holds a journal alone, also in a backup, reads no name in it. Sent again, they have no second effect.
"""

import msgspec

from holdfast.core.ids import CustomerNumber

PERSON_KEYS_MAX = 500
"""In one call."""


class KeyOfPerson(msgspec.Struct, frozen=True, kw_only=True):
    """What opens the personal data that entries seal for `person`."""

    person: str
    customer: CustomerNumber
    key: bytes


class PersonKeys(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`POST /v1/sync/person-keys`."""

    keys: tuple[KeyOfPerson, ...] = ()
    forgotten: tuple[CustomerNumber, ...] = ()
    """Who was forgotten, as far as this register heard: a head office that was restored hears of it again."""


class PersonKeysTaken(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What was sent is on disk there."""

    forgotten: tuple[CustomerNumber, ...] = ()
    """Whose keys were sent in vain: destroy them."""
