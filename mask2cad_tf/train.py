"""Trains and evaluates Mask2CAD with Model Garden's own trainer.

Example:
  python -m mask2cad_tf.train --experiment=mask2cad_pix3d \
    --mode=train_and_eval --config_file=configs/pix3d_s1.yaml \
    --model_dir=runs/pix3d_s1
"""

from absl import app
from official.common import flags as garden_flags
from official.vision import train

from mask2cad_tf import registry_imports  # noqa: F401


def main() -> None:
  """Console entry: defines the trainer's flags and runs it."""
  garden_flags.define_flags()
  app.run(train.main)


if __name__ == '__main__':
  main()
