"""One synthetic photo: composed, drawn, annotated, packed into a record."""

import collections
import functools
import os
from typing import Any
from typing import Dict

import numpy as np

from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from tfrecords_tools import block_job
from tfrecords_tools import record_examples
from tfrecords_tools.synthesis import composer
from tfrecords_tools.synthesis import cycles_renderer
from tfrecords_tools.synthesis import fast_renderer
from tfrecords_tools.synthesis import ground_truth
from tfrecords_tools.synthesis import options as options_lib
from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import scene_geometry
from tfrecords_tools.synthesis import sensor

RENDERERS = ('fast', 'cycles')
_MAX_SCENES = 20  # drawn for one photo, until one shows an object
_CACHED_CADS = 320  # Sweet Home 3D whole


class PhotoMaker:
  """index -> record, for `example_runner`; loads on the first call."""

  def __init__(self, options: options_lib.Options):
    """Checks the options.

    Args:
      options: all that determines the photos.

    Raises:
      ValueError: on bad options; says which.
    """
    if options.renderer not in RENDERERS:
      raise ValueError(
        f'The renderer {options.renderer!r} is not known; use one of '
        f'{", ".join(RENDERERS)}.'
      )
    self._options = options
    self._composer = composer.Composer(options)

  def __getstate__(self) -> Dict[str, Any]:
    return {'options': self._options}

  def __setstate__(self, state: Dict[str, Any]) -> None:
    self.__init__(state['options'])

  def __call__(self, index: int) -> block_job.Made:
    """Makes photo `index`; equal options and index give equal bytes.

    Returns:
      The record. Counts: 'dropped_hidden', 'dropped_small', 'dropped_cut_off',
      objects that are in the picture but not annotated; 'scenes_redrawn', for
      want of a single object that could be annotated.

    Raises:
      ValueError: no scene of many shows an object, or the library is bad.
    """
    rng = np.random.default_rng([self._options.seed, index])
    counts = collections.Counter()
    for _ in range(_MAX_SCENES):
      scene = self._composer.compose(rng)
      geometry = scene_geometry.SceneGeometry(scene)
      objects, dropped = ground_truth.label(
        scene,
        geometry,
        self._options,
        self._renderer_of,
        self._options.class_names,
        rng,
      )
      if objects:
        break
      counts['scenes_redrawn'] += 1
    else:
      raise ValueError(
        f'None of {_MAX_SCENES} scenes of {self._options.library!r} shows an '
        f'object; the last dropped {dropped}. Lower --min_visible, or raise '
        '--image_size.'
      )
    for rule, count in dropped.items():
      counts[f'dropped_{rule}'] += count
    example = record_examples.image_example(
      self._photograph(scene, geometry, rng),
      f'{scene.mode}/{index:06d}.jpg',
      index + 1,
      scene.camera.intrinsics,
      objects,
    )
    return block_job.Made(
      example.SerializeToString(deterministic=True), dict(counts)
    )

  def close(self) -> None:
    """Ends the Cycles process, if one was started."""
    if '_cycles' in vars(self):
      self._cycles.close()
      del self._cycles

  def _photograph(
    self,
    scene: scene_lib.Scene,
    geometry: scene_geometry.SceneGeometry,
    rng: np.random.Generator,
  ) -> bytes:
    if self._options.renderer == 'cycles':
      radiance = self._cycles.render(scene)
    else:
      radiance = fast_renderer.render(scene, geometry, rng)
    pixels = sensor.develop(radiance, scene.sensor, rng)
    return sensor.encode(pixels, scene.sensor.jpeg_quality)

  @functools.cached_property
  def _cycles(self) -> cycles_renderer.CyclesRenderer:
    return cycles_renderer.CyclesRenderer(
      self._options.blender_python,
      self._options.samples,
      self._options.environments,
    )

  @functools.cached_property
  def _renderer_of(self):
    return functools.lru_cache(maxsize=_CACHED_CADS)(
      lambda mesh: renderer.Renderer(
        meshes.load(os.path.join(self._options.library, mesh))
      )
    )
