"""House rules that a machine can check: no dead knob, no tool's name."""

import dataclasses
import pathlib

from mask2cad_tf.configs import mask2cad

_ROOT = pathlib.Path(__file__).parents[1]
_OWN_CONFIGS = (
  mask2cad.EfficientNetLite,
  mask2cad.Roi,
  mask2cad.ShapeMask,
  mask2cad.CadHead,
  mask2cad.Pose,
  mask2cad.ViewEncoder,
  mask2cad.Mask2CAD,
  mask2cad.Parser,
  mask2cad.DataConfig,
  mask2cad.Losses,
  mask2cad.Mask2CADTask,
)


def _own_fields(config):
  inherited = {
    f.name
    for base in config.__mro__[1:]
    if dataclasses.is_dataclass(base)
    for f in dataclasses.fields(base)
  }
  return [f.name for f in dataclasses.fields(config) if f.name not in inherited]


def test_every_config_field_has_a_reader():
  code = '\n'.join(
    path.read_text()
    for path in (_ROOT / 'mask2cad_tf').rglob('*.py')
    if path.parent.name != 'configs'
  )
  dead = [
    f'{config.__name__}.{field}'
    for config in _OWN_CONFIGS
    for field in _own_fields(config)
    if f'.{field}' not in code and not field.endswith('_weight')
  ]
  assert not dead


def test_every_loss_weight_is_a_loss():
  task = (_ROOT / 'mask2cad_tf/tasks/mask2cad.py').read_text()
  names = [
    f.name[: -len('_weight')]
    for f in dataclasses.fields(mask2cad.Losses)
    if f.name.endswith('_weight')
  ]
  missing = [n for n in names if f"'{n}'" not in task]
  # loss_weight scales the sum; negative_weight is C of Eq. (1).
  assert set(missing) <= {'loss', 'box_loss', 'negative'}
