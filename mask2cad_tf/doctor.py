"""Checks an installation: versions, devices, ray casting, the shipped model.

Example:
  python -m mask2cad_tf.doctor

Exit status 1 where something is missing or out of range.
"""

import json
import pathlib
import platform
import re
import sys
from importlib import metadata
from typing import Callable
from typing import List
from typing import NamedTuple
from typing import Sequence

from absl import flags
from packaging import requirements

import mask2cad_tf
from mask2cad_tf import command_line
from mask2cad_tf import packaged_model

FLAGS = flags.FlagValues()
_JSON = flags.DEFINE_boolean(
  'json', False, 'One JSON object in place of lines.', flag_values=FLAGS
)
_DISTRIBUTION = 'mask2cad-tf'


class Finding(NamedTuple):
  """What was looked at, whether it is sound, and what was seen."""

  what: str
  ok: bool
  seen: str


def packages(needed: Sequence[str]) -> List[Finding]:
  """Installed versions against what is required.

  Args:
    needed: requirements as in a distribution's metadata; those of extras are
      passed over.
  """
  found = []
  for line in needed:
    requirement = requirements.Requirement(line)
    if requirement.marker and not requirement.marker.evaluate({'extra': ''}):
      continue
    try:
      version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
      found.append(
        Finding(requirement.name, False, f'missing: pip install "{line}"')
      )
      continue
    ok = requirement.specifier.contains(version, prereleases=True)
    wanted = '' if ok else f', expected {requirement.specifier}'
    found.append(Finding(requirement.name, ok, f'{version}{wanted}'))
  return found


def _attempt(what: str, look: Callable[[], str]) -> Finding:
  """What `look` saw; whatever it raises is what is wrong."""
  try:
    return Finding(what, True, look())
  except Exception as error:  # noqa: BLE001  a broken install raises anything
    return Finding(what, False, f'{type(error).__name__}: {error}')


def _devices() -> str:
  import tensorflow as tf

  names = [device.name for device in tf.config.list_physical_devices()]
  return ', '.join(re.sub('/physical_device:', '', name) for name in names)


def _ray_casting() -> str:
  import numpy as np
  import trimesh

  from mask2cad_tf.geometry import renderer

  box = renderer.Renderer(trimesh.creation.box((1.0, 1.0, 1.0)))
  mask = box.silhouette(
    np.eye(3), np.array([0.0, 0.0, 4.0]), (32.0, 32.0, 16.0, 16.0), 32, 32
  )
  if not 60 < mask.sum() < 120:  # the front face covers 9.1 x 9.1 pixels
    raise RuntimeError(f'a box covers {mask.sum()} pixels, expected about 84')
  return 'embree renders'


def _model() -> str:
  from mask2cad_tf.modeling import model_folder

  folder = packaged_model.folder()
  model_folder.load(folder)
  size = sum(path.stat().st_size for path in pathlib.Path(folder).rglob('*'))
  return f'loads, {size / 1e6:.0f} MB'


def examine() -> List[Finding]:
  """All that is looked at, in order."""
  version = platform.python_version()
  python = (3, 9) <= sys.version_info[:2] <= (3, 11)
  return [
    Finding(
      'Python', python, version if python else f'{version}, needs 3.9-11'
    ),
    *packages(metadata.requires(_DISTRIBUTION) or []),
    _attempt('devices', _devices),
    _attempt('ray casting', _ray_casting),
    _attempt('shipped model', _model),
  ]


def main(argv: Sequence[str]) -> None:
  """Prints what was found."""
  command_line.reject(argv[1:])
  findings = examine()
  broken = [finding.what for finding in findings if not finding.ok]
  if _JSON.value:
    print(json.dumps({f.what: {'ok': f.ok, 'seen': f.seen} for f in findings}))
  else:
    print(f'mask2cad_tf {mask2cad_tf.__version__}')
    for finding in findings:
      mark = 'ok ' if finding.ok else 'BAD'
      print(f'  {mark} {finding.what}: {finding.seen}')
    print(f'Not sound: {", ".join(broken)}.' if broken else 'All is sound.')
  if broken:
    sys.exit(1)


if __name__ == '__main__':
  command_line.run('mask2cad_tf.doctor', main, FLAGS)
