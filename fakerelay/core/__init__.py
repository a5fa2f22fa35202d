"""The vendor's service as pure values and functions: the stdlib only, no clock, chance or I/O."""
