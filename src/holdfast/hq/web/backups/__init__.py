"""Backups: what makes entries *safe*, and whether it goes well."""
