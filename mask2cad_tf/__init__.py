"""Mask2CAD in TensorFlow: from one photo to a scene of CAD models."""

__version__ = '0.1.0'
