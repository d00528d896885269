"""Backups as things: what is in one, who can read it, where it is kept, and whether it was ever restored."""
