"""The embedded CAD library: parametric furniture written as code."""
