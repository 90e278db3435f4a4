"""The pages of parameters."""
