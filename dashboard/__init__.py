"""The dashboard: pages over the published marts. It reads, formats and links; the marts compute."""
