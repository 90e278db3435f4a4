"""Names of the parameters of loyalty; `core.parameters.known` says what each does."""

IN_USE = "loyalty.in-use"
"""Where it is off nothing of loyalty is seen (LY1)."""
