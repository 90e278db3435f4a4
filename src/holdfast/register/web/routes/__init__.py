"""The till's routes, one file a subject."""
