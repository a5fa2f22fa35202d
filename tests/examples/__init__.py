"""The examples of the README: run like any test, and shown as they stand."""
