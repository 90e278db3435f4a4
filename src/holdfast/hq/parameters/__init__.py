"""Parameters at head office: set, ended and undone, each kept; which register goes by which version."""
