"""Readers of vendor systems: one flat file per vendor, shared parts in ``base``."""
