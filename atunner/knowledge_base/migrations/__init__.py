"""Migrations of the knowledge base's tables, one file for each version."""
