"""Trainings of one branch on cached features, and what was measured of them."""

import json
import os
import pathlib
import subprocess
import sys
from typing import Any
from typing import Dict
from typing import Mapping

import yaml

from mask2cad_tf import number_type


def train(
  folder: pathlib.Path,
  config_file: str,
  branch: str,
  steps: int,
  task: Mapping[str, Any],
) -> None:
  """Trains, or goes on.

  Args:
    folder: of the checkpoints; its train.log says what happened.
    config_file: YAML of mask2cad_tf.train: data, medoids, priors.
    branch: 'detection' or 'objects'.
    steps: in all, the learning rate's cosine included.
    task: what else differs from `mask2cad_lite`.

  Raises:
    ValueError: the training failed.
  """
  folder.mkdir(parents=True, exist_ok=True)
  override = folder / 'override.yaml'
  override.write_text(
    yaml.safe_dump(
      {
        'runtime': {'mixed_precision_dtype': number_type.fastest()},
        'task': {**task, 'train_branches': [branch]},
        'trainer': {
          'train_steps': steps,
          'steps_per_loop': 50,
          'checkpoint_interval': steps,
          'max_to_keep': 1,
          'optimizer_config': {
            'learning_rate': {'cosine': {'decay_steps': steps}},
            'warmup': {'linear': {'warmup_steps': min(200, steps // 5)}},
          },
        },
      }
    )
  )
  with open(folder / 'train.log', 'a', encoding='utf-8') as log:
    status = subprocess.call(
      [
        sys.executable,
        '-m',
        'mask2cad_tf.train',
        '--experiment=mask2cad_lite',
        '--mode=train',
        f'--config_file={config_file}',
        f'--config_file={override}',
        f'--model_dir={folder}',
      ],
      stdout=log,
      stderr=log,
    )
  if status:
    raise ValueError(f'The end of {folder}/train.log says why it failed.')


def load_results(path: pathlib.Path) -> Dict[str, Any]:
  """What `save_results` wrote; {} before."""
  path.parent.mkdir(parents=True, exist_ok=True)
  return json.loads(path.read_text()) if path.exists() else {}


def save_results(
  path: pathlib.Path, results: Mapping[str, Any], table: str
) -> None:
  """Writes results as JSON, and their table beside it as Markdown."""
  path.parent.mkdir(parents=True, exist_ok=True)
  temporary = path.with_suffix('.tmp')
  temporary.write_text(json.dumps(results, indent=1) + '\n')
  os.replace(temporary, path)
  path.with_suffix('.md').write_text(table)
