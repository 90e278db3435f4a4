"""`holdfast verify`: whether what is kept is what was written, signed and folded, in every role."""
