"""Benchmarks: one file a question, each printing its figure beside a limit measured in the same run."""
