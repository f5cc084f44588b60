"""Domains, each a folder: `core.pack` says what a pack declares."""
