"""Other makers' systems: one maker, one file."""
