r"""Trains and evaluates Mask2CAD with Model Garden's own trainer.

Example:
  python -m mask2cad_tf.train --experiment=mask2cad_pix3d \
    --mode=train_and_eval --config_file=configs/pix3d_s1.yaml \
    --model_dir=runs/pix3d_s1

Experiments: mask2cad_pix3d and mask2cad_scannet (the paper's), mask2cad_lite
(the model that comes with the package), mask2cad_tiny (for tests), mask2cad
(defaults, for any data). Flags and configuration are checked first: what is
wrong with them is one line; later errors keep their traceback.

Given again, the same command goes on from the last checkpoint. Machines are
described by a second --config_file out of configs/runtime/.
"""

import os
from typing import Sequence

from absl import app
from absl import flags
from official.common import flags as garden_flags

from mask2cad_tf import command_line

_NAME = 'mask2cad_tf.train'


def main() -> None:
  """Console entry: checks the flags, then runs the trainer."""
  own = trainer_flags()
  command_line.answer_help(_check.__module__, own)
  command_line.quiet_libraries()
  from mask2cad_tf.tasks import training_run  # slow; defines a flag of its own

  command_line.run(_NAME, _check, own)
  app.run(training_run.main, flags_parser=lambda argv: argv)


def trainer_flags() -> flags.FlagValues:
  """Defines the trainer's flags, in absl's own where it reads them."""
  if 'experiment' not in flags.FLAGS:  # once in a process
    garden_flags.define_flags()
  own = flags.FlagValues()
  for flag in flags.FLAGS.get_flags_for_module(garden_flags):
    own[flag.name] = flag
    own.register_flag_by_module(garden_flags.__name__, flag)
  return own


def _check(argv: Sequence[str]) -> None:
  """Raises ValueError or FileNotFoundError for what cannot be trained."""
  import tensorflow as tf
  from official.core import train_utils

  from mask2cad_tf import registry_imports  # noqa: F401
  from mask2cad_tf.configs import experiments
  from mask2cad_tf.configs import yaml_files

  given = flags.FLAGS
  command_line.require(
    experiment=given.experiment, mode=given.mode, model_dir=given.model_dir
  )
  command_line.reject(argv[1:])
  experiments.get(given.experiment)
  for path in given.config_file or ():
    if not tf.io.gfile.exists(path):
      raise FileNotFoundError(f'--config_file={path}: there is no such file.')
    if os.path.isfile(path):
      yaml_files.check(path)
  try:
    train_utils.parse_configuration(given, print_return=False)
  except KeyError as error:  # of a field that the experiment has not
    raise ValueError(f'{given.experiment}: {error.args[0]}') from error


if __name__ == '__main__':
  main()
