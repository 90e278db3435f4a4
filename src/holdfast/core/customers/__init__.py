"""Customers (PO7): what is kept of a person, how somebody is found, and what ties a person to a key."""

from holdfast.core.customers.details import Details, details_refusal, read_details
from holdfast.core.customers.row import CustomerRow, customer_refusal, newer_of
from holdfast.core.customers.sealing import open_details, seal_details
from holdfast.core.customers.search import Found, same_person, terms_of, words_of

__all__ = [
    "CustomerRow",
    "Details",
    "Found",
    "customer_refusal",
    "details_refusal",
    "newer_of",
    "open_details",
    "read_details",
    "same_person",
    "seal_details",
    "terms_of",
    "words_of",
]
