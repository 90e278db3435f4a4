"""Checkout: what a till does, from an empty basket to a durable sale."""

from holdfast.register.checkout.answers import AlreadyRecorded
from holdfast.register.checkout.checkout import Checkout
from holdfast.register.till.history import DocumentRow, Owed
from holdfast.register.till.writing import Document

__all__ = ["AlreadyRecorded", "Checkout", "Document", "DocumentRow", "Owed"]
