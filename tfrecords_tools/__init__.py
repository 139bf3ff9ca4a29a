"""Converters from datasets and CAD libraries to records."""

from mask2cad_tf import command_line

command_line.quiet_libraries()
