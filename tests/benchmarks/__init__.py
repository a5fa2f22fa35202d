"""Figures of fakerelay beside a yardstick in the same run: `python -m tests.benchmarks`."""
