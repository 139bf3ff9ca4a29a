"""What somebody else wrote, read within limits; see docs/threat_model.md."""
