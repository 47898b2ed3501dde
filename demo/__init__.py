"""Two simulated providers, told through the workflows with a simulated clock."""
