"""Migrations: numbered revisions, each one transaction."""
