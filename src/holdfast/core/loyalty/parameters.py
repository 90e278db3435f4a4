"""Names of the parameters of loyalty, and their defaults; `core.parameters.known` says what each does."""

IN_USE = "loyalty.in-use"
"""Where it is off nothing of loyalty is seen (LY1)."""
PER_UNIT = "loyalty.points-per-unit"
PER_UNIT_DEFAULT = 1
FOR_UNIT = "loyalty.points-for-unit"
"""So many points pay one whole unit of the currency; 0: points pay nothing."""
FOR_UNIT_DEFAULT = 100
TIERS = "loyalty.tiers"
TIER_MONTHS = "loyalty.tier-months"
TIER_MONTHS_DEFAULT = 12
EXPIRY_MONTHS = "loyalty.expiry-months"
"""0: points are kept for good."""
EXPIRY_MONTHS_DEFAULT = 0
OF_HEAD_OFFICE = frozenset({TIERS, TIER_MONTHS, EXPIRY_MONTHS})
"""Head office goes by these: they are the whole chain's, since a customer's points are."""
