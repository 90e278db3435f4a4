"""The till: its database, checkout, connection state, real-time clients and screen."""
