"""The sync process: sends what the register owes, brings down what it sells from, and watches the line."""
