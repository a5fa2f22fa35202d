"""Push statuses as the contract kit sees them: received, foreseen, compared (section 7)."""
