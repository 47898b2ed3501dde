"""What the trade means: pure values and rules, without I/O, clock or framework."""
