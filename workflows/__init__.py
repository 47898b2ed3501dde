"""What happens: one function is one use case."""
