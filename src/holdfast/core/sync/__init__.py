"""The sync protocol without I/O: messages, the sender's and the receiver's state machines, and cursors."""
