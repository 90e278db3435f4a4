"""The till's customers page: search, choose, create and change, online and offline alike (PO7)."""
