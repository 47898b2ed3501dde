"""The suite: it mirrors the tree and uses a real PostgreSQL."""
