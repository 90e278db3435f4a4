"""An operation: one thing that somebody does at a till, and what it depends on."""

from typing import Literal

import msgspec

from holdfast.core.operations.conditions import Condition
from holdfast.core.operations.roles import Permission

YES: Literal["yes"] = "yes"
NO: Literal["no"] = "no"
Availability = Literal["yes", "no"] | Condition
"""Always, never, or when a condition holds."""


class Operation(msgspec.Struct, frozen=True):
    """One row of the table."""

    id: str
    """Stable: routes, journal and tests name it."""
    group: str
    name: str
    """As a cashier calls it."""
    permission: Permission | None = None
    """None: everybody may."""
    online: Availability = YES
    offline: Availability = YES
    refused: str = ""
    """What a cashier reads where it cannot be done in this mode."""
    why: str = ""
    """Why it depends on the mode; or, where one would not expect it, why it does not."""
    planned: bool = False
    """Nothing does it yet: it is offered to nobody."""
    before_sign_in: bool = False
    """It needs nobody signed in."""
    features: tuple[str, ...] = ()
    """Rows of `docs/features.md` that it comes from."""

    @property
    def depends_on_mode(self) -> bool:
        return (self.online, self.offline) != (YES, YES)

    @property
    def has_condition(self) -> bool:
        """Whether more than the mode decides."""
        return isinstance(self.online, Condition) or isinstance(self.offline, Condition)
