"""Parameters: what head office sets for the tills of a chain, each with its kind, its scopes and its default.

They travel as a feed; where nobody set one, a register goes by the default. What counts at a register on
a business date is found by one rule (`resolve`); what people set is kept as changes, of which the feed's
rows are the fold (`folded`).
"""

from holdfast.core.parameters.changes import Change, dates_refusal, folded
from holdfast.core.parameters.known import (
    BEGUN_WITH,
    LANDMARK,
    PARAMETERS,
    STORE_GROUP,
    WARN_AFTER_H,
    WARN_AFTER_H_DEFAULT,
    Kind,
    Parameter,
    document,
    parameter_named,
    read_key,
    value_of,
    value_text,
)
from holdfast.core.parameters.scope import (
    FIRST_DATE,
    STORE_GROUP_NAME,
    ParameterRow,
    Place,
    Scope,
    ScopeKind,
    Setting,
    Step,
    Value,
    in_force,
    key_of,
    keys_of,
    resolve,
)

__all__ = [
    "BEGUN_WITH",
    "FIRST_DATE",
    "LANDMARK",
    "PARAMETERS",
    "STORE_GROUP",
    "STORE_GROUP_NAME",
    "WARN_AFTER_H",
    "WARN_AFTER_H_DEFAULT",
    "Change",
    "Kind",
    "Parameter",
    "ParameterRow",
    "Place",
    "Scope",
    "ScopeKind",
    "Setting",
    "Step",
    "Value",
    "dates_refusal",
    "document",
    "folded",
    "in_force",
    "key_of",
    "keys_of",
    "parameter_named",
    "read_key",
    "resolve",
    "value_of",
    "value_text",
]
