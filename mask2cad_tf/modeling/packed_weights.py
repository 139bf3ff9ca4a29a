"""A model's weights in one small file, float16 where that is enough.

  weights.npz   '<part>/<running index>' -> array; parts are those of
                `checkpoint_items`, indices those of the part's `variables`
  weights.json  {"format_version": 1, "sha256": of weights.npz,
                 "variables": {key: {"name": ..., "shape": ..., "dtype": ...}}}

Equal arrays are stored once (frozen networks are in several parts): the entries
of the others have "same_as", the key of the first.

float16 are the kernels and nothing else. These keep their own type: integers;
vectors (biases, norms and their statistics), which are small and of any
magnitude; all of the pose decoder, whose quaternions are turned into angles;
the shape priors; and a kernel with a value that float16 cannot hold.
"""

import hashlib
import json
import os
import re
import zipfile
from typing import Any
from typing import Dict
from typing import List
from typing import Mapping

import numpy as np
import tensorflow as tf

from mask2cad_tf.foreign import array_files
from mask2cad_tf.foreign import json_files

WEIGHTS = 'weights.npz'
MANIFEST = 'weights.json'
FORMAT_VERSION = 1

_EXACT_PARTS = ('pose_decoder',)
_EXACT_NAMES = ('priors',)
_FLOAT16_MAX = float(np.finfo(np.float16).max)  # 65504


def write(model: tf.keras.Model, folder: str) -> Dict[str, Any]:
  """Writes the weights; equal weights give equal bytes.

  Both files are renamed into place; a reader that comes between the two
  renames finds another sha256 and says so.

  Args:
    model: has `checkpoint_items`.
    folder: is there; files of an earlier `write` are replaced.

  Returns:
    The manifest.

  Raises:
    ValueError: a variable is not finite, or belongs to no part.
  """
  variables = _variables(model)
  _check_complete(model, variables)
  arrays = {key: _stored(key, v) for key, v in variables.items()}
  firsts = _firsts(arrays)
  paths = [os.path.join(folder, name) for name in (WEIGHTS, MANIFEST)]
  new = [f'{path}.{os.getpid()}.tmp' for path in paths]
  try:
    _write_arrays(new[0], {key: arrays[key] for key in firsts.values()})
    manifest = {
      'format_version': FORMAT_VERSION,
      'sha256': sha256(new[0]),
      'variables': {
        key: {
          'name': variables[key].name,
          'shape': list(array.shape),
          'dtype': array.dtype.name,
          **({'same_as': firsts[key]} if firsts[key] != key else {}),
        }
        for key, array in arrays.items()
      },
    }
    with open(new[1], 'w', encoding='utf-8') as file:
      json.dump(manifest, file, indent=1)
    for source, target in zip(new, paths):
      os.replace(source, target)
  finally:
    for path in new:
      if os.path.exists(path):
        os.remove(path)
  return manifest


def read(model: tf.keras.Model, folder: str) -> None:
  """Assigns the weights to the model's variables, all of them or none.

  Args:
    model: has `checkpoint_items`; of the architecture that was written.
    folder: of `write`.

  Raises:
    FileNotFoundError: one of the two files is missing.
    ValueError: a file is damaged or of another format, or does not fit the
      model; says which part or variable.
  """
  entries = _checked_manifest(folder)['variables']
  _assign(_variables(model), entries, folder)


def read_part(part: str, layer: tf.keras.layers.Layer, folder: str) -> None:
  """As `read`, of one part of `checkpoint_items` alone."""
  entries = _checked_manifest(folder)['variables']
  _assign(
    _numbered(part, layer),
    {key: entry for key, entry in entries.items() if _part(key) == part},
    folder,
  )


def _assign(
  variables: Mapping[str, tf.Variable],
  entries: Mapping[str, Mapping[str, Any]],
  folder: str,
) -> None:
  _check_parts(folder, variables, entries)
  for key, variable in variables.items():
    if key not in entries:
      raise ValueError(
        f'{folder!r}: {MANIFEST} describes no {key}. Pack the model again.'
      )
    _check_entry(folder, key, variable, entries[key])
  path = os.path.join(folder, WEIGHTS)
  places = {key: entries[key].get('same_as', key) for key in variables}
  arrays = array_files.read_npz(path, set(places.values()))
  for key, variable in variables.items():
    found = arrays.get(places[key])
    # Signed and unsigned integers, booleans and floats; no text, no records.
    if (
      found is None
      or found.shape != variable.shape
      or (found.dtype.kind not in 'iubf')
    ):
      raise ValueError(
        f'{path!r} does not hold {key} as {MANIFEST} describes it. Pack the '
        'model again.'
      )
  for key, variable in variables.items():
    value = arrays[places[key]]
    variable.assign(value.astype(variable.dtype.as_numpy_dtype))


def is_packed(folder: str) -> bool:
  """Whether `write` has written there, or at least one of its files is."""
  return any(
    os.path.exists(os.path.join(folder, name)) for name in (WEIGHTS, MANIFEST)
  )


def _variables(model: tf.keras.Model) -> Dict[str, tf.Variable]:
  return {
    key: variable
    for part, layer in model.checkpoint_items.items()
    for key, variable in _numbered(part, layer).items()
  }


def _numbered(
  part: str, layer: tf.keras.layers.Layer
) -> Dict[str, tf.Variable]:
  return {f'{part}/{i}': v for i, v in enumerate(layer.variables)}


def _part(key: str) -> str:
  return key.rsplit('/', maxsplit=1)[0]


def _check_complete(
  model: tf.keras.Model, variables: Mapping[str, tf.Variable]
) -> None:
  found = {id(variable) for variable in variables.values()}
  left = [v.name for v in model.variables if id(v) not in found]
  if left:
    raise ValueError(
      f'{len(left)} variables belong to no part of checkpoint_items and would '
      f'be lost: {", ".join(left[:3])}. Add their layer there.'
    )


def _stored(key: str, variable: tf.Variable) -> np.ndarray:
  """The variable's value in the type that it is stored in."""
  value = variable.numpy()
  if not variable.dtype.is_floating:
    return value
  if not np.isfinite(value).all():
    raise ValueError(
      f'{variable.name} ({key}) has values that are not finite: the training '
      'diverged. Pack an earlier checkpoint.'
    )
  name = variable.name.split('/')[-1].split(':')[0]
  exact = (
    value.ndim < 2
    or key.split('/')[0] in _EXACT_PARTS
    or name in _EXACT_NAMES
    or np.abs(value).max(initial=0.0) > _FLOAT16_MAX
  )
  return value if exact else value.astype(np.float16)


def _firsts(arrays: Mapping[str, np.ndarray]) -> Dict[str, str]:
  """Key -> the first key whose array is the same, its own where none is."""
  seen: Dict[Any, str] = {}
  return {
    key: seen.setdefault(
      (array.dtype, array.shape, hashlib.sha256(array.tobytes()).digest()), key
    )
    for key, array in arrays.items()
  }


def _write_arrays(path: str, arrays: Mapping[str, np.ndarray]) -> None:
  """As np.savez_compressed, which would store the time of day as well."""
  with zipfile.ZipFile(path, 'w') as archive:
    for key, array in arrays.items():
      entry = zipfile.ZipInfo(f'{key}.npy')
      entry.compress_type = zipfile.ZIP_DEFLATED
      with archive.open(entry, 'w') as file:
        np.lib.format.write_array(file, array, allow_pickle=False)


def _checked_manifest(folder: str) -> Dict[str, Any]:
  """weights.json, after comparing weights.npz with it."""
  for name in (MANIFEST, WEIGHTS):
    if not os.path.exists(os.path.join(folder, name)):
      raise FileNotFoundError(
        f'No {name} in {folder!r}: packed weights are {WEIGHTS} and '
        f'{MANIFEST}, one beside the other. Copy both, or pack the model '
        'again: python -m mask2cad_tf.pack --help'
      )
  path = os.path.join(folder, MANIFEST)
  try:
    manifest = json_files.read(path)
    version, digest = manifest['format_version'], manifest['sha256']
    for key, entry in manifest['variables'].items():
      if not {'name', 'shape', 'dtype'} <= set(entry):
        raise ValueError(f'{key} lacks name, shape or dtype')
      tuple(entry['shape'])
      entry['name'].encode()
      entry.get('same_as', '').encode()
  except (ValueError, KeyError, TypeError, AttributeError) as error:
    raise ValueError(
      f'{path!r} is not what mask2cad_tf.pack writes ({error!r}). Pack the '
      'model again.'
    ) from error
  if version != FORMAT_VERSION:
    raise ValueError(
      f'{path!r} has format {version!r}; this package reads format '
      f'{FORMAT_VERSION}. Pack the model again, or use the package that packed '
      'it.'
    )
  if sha256(os.path.join(folder, WEIGHTS)) != digest:
    raise ValueError(
      f'{os.path.join(folder, WEIGHTS)!r} is damaged or not the file that '
      f'{MANIFEST} describes (another sha256). Copy both again, or pack the '
      'model again.'
    )
  return manifest


def _check_parts(
  folder: str,
  variables: Mapping[str, tf.Variable],
  entries: Mapping[str, Mapping[str, Any]],
) -> None:
  expected, found = _counts(variables), _counts(entries)
  for part in {**expected, **found}:
    if expected.get(part) != found.get(part):
      raise ValueError(
        f'{folder!r} has {found.get(part, 0)} variables of the part {part!r}; '
        f'the model has {expected.get(part, 0)}. The file holds '
        f'{", ".join(found)}. Pack a model of the same params.yaml.'
      )


def _counts(keys: Mapping[str, Any]) -> Dict[str, int]:
  """Part -> how many of the keys are its."""
  parts: List[str] = list(map(_part, keys))
  return {part: parts.count(part) for part in dict.fromkeys(parts)}


def _check_entry(
  folder: str, key: str, variable: tf.Variable, entry: Mapping[str, Any]
) -> None:
  found = _plain_name(entry['name']), tuple(entry['shape'])
  expected = _plain_name(variable.name), tuple(variable.shape)
  if found != expected:
    raise ValueError(
      f'{folder!r}: {key} is {entry["name"]} of shape {list(found[1])}; the '
      f'model has {variable.name} of shape {list(expected[1])} there. Pack a '
      'model of the same params.yaml.'
    )


def _plain_name(name: str) -> str:
  """Without the numbers by which Keras tells a process's layers apart."""
  return re.sub(r'_\d+', '', name)


def sha256(path: str) -> str:
  """Of a file."""
  digest = hashlib.sha256()
  with open(path, 'rb') as file:
    for block in iter(lambda: file.read(1 << 20), b''):
      digest.update(block)
  return digest.hexdigest()
