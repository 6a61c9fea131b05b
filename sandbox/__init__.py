"""Vendor servers on loopback that enforce the vendor's rules, and a fictional company."""
