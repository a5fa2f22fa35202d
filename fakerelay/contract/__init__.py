"""The contract kit: does a server behave as the contract says?

It has a model of its own, and reads nothing of the fake's code: a judge doesn't ask the accused.
"""
