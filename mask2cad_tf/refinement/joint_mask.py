"""An object's mask by what the network sees and by the CAD that was fitted.

The network misses thin legs and takes in what stands close by; a CAD's outline
has the legs, but is off where pose or CAD are.
"""

import numpy as np

# Odds of a pixel to be the object's inside the CAD's outline; inverse outside.
EVIDENCE = 4.0


def joint_mask(probabilities: np.ndarray, silhouette: np.ndarray) -> np.ndarray:
  """Where the object is more likely than not, by both.

  The network's odds p / (1 - p) are multiplied by EVIDENCE inside the outline
  and divided by it outside: the threshold 1/2 becomes 1 / (1 + EVIDENCE) and
  EVIDENCE / (1 + EVIDENCE).

  Args:
    probabilities: float [H, W], the network's.
    silhouette: bool [H, W], of the posed CAD.

  Returns:
    bool [H, W].
  """
  inside, outside = 1.0 / (1.0 + EVIDENCE), EVIDENCE / (1.0 + EVIDENCE)
  return probabilities > np.where(silhouette, inside, outside)
