"""What the user can ask of the synthesizer."""

import dataclasses
from typing import Dict
from typing import Tuple

from mask2cad_tf import conventions


@dataclasses.dataclass(frozen=True)
class Options:
  """All that determines a set of photos, but their number."""

  library: str  # folder of tfrecords_tools.cad_library, or any CAD folder
  renderer: str = 'fast'  # 'fast' or 'cycles'
  seed: int = 0
  class_names: Tuple[str, ...] = conventions.PIX3D_CLASSES
  image_size: int = 320  # pixels, longer side
  aspect_ratio: float = 0.0  # width over height; 0: drawn like Pix3D's
  min_objects: int = 1  # things in a scene, before any is dropped by rule
  max_objects: int = 3  # 1 .. 8
  modes: Dict[str, float] = dataclasses.field(
    default_factory=lambda: {'room': 0.5, 'closeup': 0.3, 'studio': 0.2}
  )
  min_visible: float = 0.3  # share of the amodal mask inside the picture
  min_pixels: int = 100  # of the visible mask
  jitter_degrees: float = 10.0  # of the jittered view, Sec. 3.2
  poses: str = ''  # annotations (pix3d.json or a split) to draw poses from
  poses_exclude: str = ''  # JSON list of file names whose poses are not drawn
  grey_cads: bool = False  # all in one grey, whatever their materials
  clutter: str = ''  # folder of meshes in metres, unlabelled things
  textures: str = ''  # folder of images for floors, walls and fabrics
  backgrounds: str = ''  # folder of photos that stand behind close-ups
  environments: str = ''  # folder of .hdr panoramas
  samples: int = 8  # paths a pixel, cycles only
  blender_python: str = '.venv-cycles/bin/python'  # has bpy; cycles only
