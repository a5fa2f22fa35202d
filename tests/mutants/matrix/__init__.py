"""What the contract kit notices of seeded faults, and says of servers that are right."""
