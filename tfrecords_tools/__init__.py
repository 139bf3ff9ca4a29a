"""Converters from datasets and CAD libraries to records."""
