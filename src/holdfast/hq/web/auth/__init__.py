"""Administrators: who they are, how they sign in, and what keeps others out."""
