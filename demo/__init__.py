"""A simulated provider, told through the workflows with a simulated clock."""
