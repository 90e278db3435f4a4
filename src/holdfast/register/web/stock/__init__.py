"""The till's pages of stock: on hand or an estimate, count, adjust, send and receive (ST1, ST3, ST4)."""
