"""The model that comes with the package."""

import pathlib

import mask2cad_tf

_FOLDER = pathlib.Path(mask2cad_tf.__file__).parent / 'weights' / 'lite'


def folder() -> str:
  """Where it lies, for --model.

  Raises:
    FileNotFoundError: this installation has none.
  """
  if not (_FOLDER / 'params.yaml').exists():
    raise FileNotFoundError(
      f'No packaged model at {str(_FOLDER)!r}: this installation came without '
      'it. Install the wheel of mask2cad-tf, which carries the weights, or '
      'give a model of your own with --model.'
    )
  return str(_FOLDER)
