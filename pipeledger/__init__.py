"""The verbs: sync, build, check, publish, and what they stand on. No framework."""
