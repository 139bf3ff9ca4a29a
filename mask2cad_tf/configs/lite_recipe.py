"""The lite recipe in numbers: photos, steps, and what its trainers are told."""

import math
import pathlib
from typing import Any
from typing import Dict
from typing import Mapping
from typing import NamedTuple
from typing import Sequence

from mask2cad_tf import number_type

_VALIDATIONS = 4  # of a training, fewer of a short one
_VALIDATION_INTERVAL = 600  # steps, at least; all of a shorter training
# At most; the rate climbs to what the cosine has left at its end, 0 if longer
# than the training.
_WARMUP = 200
_FEWEST = 4  # validation photos, steps
_FINETUNE_RATE = 3e-4  # less than the experiment's


class Size(NamedTuple):
  """How much of everything.

  Attributes:
    photos: by library; the share of those that are not there goes to the
      others.
    validation_photos: of the richest library.
    steps: by branch.
  """

  photos: Dict[str, int]
  validation_photos: int
  steps: Dict[str, int]

  def scaled(self, share: float) -> 'Size':
    """A share of photos and steps; of each at least a few."""
    return Size(
      {name: math.ceil(share * n) for name, n in self.photos.items()},
      max(_FEWEST, math.ceil(share * self.validation_photos)),
      {name: max(_FEWEST, round(share * n)) for name, n in self.steps.items()},
    )


FULL = Size(
  {'pix3d': 7040, 'sweethome3d': 1280, 'furniture': 360},
  240,
  {'detection': 9000, 'objects': 9000},
)
QUICK = Size(
  {'pix3d': 1200, 'sweethome3d': 400, 'furniture': 200},
  100,
  {'detection': 1200, 'objects': 500},
)
FINETUNE = Size({'own': 1500}, 100, {'objects': 600})


def overrides(
  root: pathlib.Path,
  branch: str,
  steps: int,
  photos: Mapping[str, Sequence[str]],
  init_checkpoint: str = '',
) -> Dict[str, Any]:
  """What a training has other than the registered experiment.

  Args:
    root: of the recipe: medoids.npz, view_rotations.npz, priors.npz, records/,
      views/ and cached/.
    branch: that is trained, 'detection' or 'objects'.
    steps: of the training.
    photos: sets of records by library, the richest first.
    init_checkpoint: weights to train on from; '': from scratch.

  Returns:
    The content of a --config_file of mask2cad_tf.train.
  """
  start, rate = {}, {'decay_steps': steps}
  if init_checkpoint:
    start = {'init_checkpoint': init_checkpoint}
    rate['initial_learning_rate'] = _FINETUNE_RATE
  cached, richest = root / 'cached', next(iter(photos))
  return {
    'runtime': {'mixed_precision_dtype': number_type.fastest()},
    'task': {
      **start,
      'train_branches': [branch],
      'model': {
        'pose': {
          'medoids_path': str(root / 'medoids.npz'),
          'view_rotations_path': str(root / 'view_rotations.npz'),
        },
        'shapemask': {'priors_path': str(root / 'priors.npz')},
      },
      'train_data': {
        'input_path': [
          f'{cached}/records/{name}/images*'
          for names in photos.values()
          for name in names
        ],
        'views_path': [f'{cached}/views/{name}/views*' for name in photos],
      },
      'validation_data': {
        'input_path': f'{root}/records/validation/images*',
        'views_path': f'{root}/views/{richest}/views*',
      },
    },
    'trainer': {
      'train_steps': steps,
      'validation_interval': max(
        steps // _VALIDATIONS, min(steps, _VALIDATION_INTERVAL)
      ),
      'optimizer_config': {
        'learning_rate': {'cosine': rate},
        'warmup': {'linear': {'warmup_steps': min(_WARMUP, steps // 10)}},
      },
    },
  }
