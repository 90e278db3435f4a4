"""The till's screen: a page for touch, keyboard and scanner, served to the browser on the same machine.

Every action answers from the local database alone (P5). Closing the browser stops nothing.
"""
