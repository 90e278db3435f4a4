"""Receipts beyond the screen: their signed codes, and what carries them to printers and mail servers (PO8).

Printing and mailing is done by a process of its own beside the till: no sale waits for a printer (P5).
"""
