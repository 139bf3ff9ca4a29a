"""Seeded random rotations, poses and cameras for tests."""

import numpy as np

# (fx, fy, cx, cy) of a 640 x 480 photo, principal point off the middle.
INTRINSICS = np.array([500.0, 520.0, 310.0, 250.0], np.float32)
WIDTH = 640.0


def quaternions(seed, *shape):
  """Unit quaternions float32 [*shape, 4], uniform over rotations."""
  q = np.random.default_rng(seed).standard_normal(shape + (4,))
  return (q / np.linalg.norm(q, axis=-1, keepdims=True)).astype(np.float32)


def points(seed, *shape):
  """Points float32 [*shape, 3] within 0.5 of the origin."""
  rng = np.random.default_rng(1000 + seed)
  return rng.uniform(-0.5, 0.5, shape + (3,)).astype(np.float32)


def unit_vectors(seed, *shape):
  """Directions float32 [*shape, 3]."""
  v = np.random.default_rng(2000 + seed).standard_normal(shape + (3,))
  return (v / np.linalg.norm(v, axis=-1, keepdims=True)).astype(np.float32)


def translations(seed, *shape):
  """Translations float32 [*shape, 3], well in front of the camera."""
  rng = np.random.default_rng(3000 + seed)
  return rng.uniform([-1, -1, 2], [1, 1, 5], shape + (3,)).astype(np.float32)
