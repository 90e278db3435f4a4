"""Head office: takes every register's journal exactly once, and sends down what they sell from."""
