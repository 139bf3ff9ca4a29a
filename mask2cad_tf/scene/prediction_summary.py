"""What was found in photos, in short: a line each, or all of it as JSON.

Masks are not kept: a folder may hold thousands of photos.
"""

import json
from typing import Any
from typing import Dict
from typing import Mapping
from typing import Sequence

from mask2cad_tf.scene import assemble


def of_photo(
  path: str, folder: str, objects: Sequence[assemble.SceneObject]
) -> Dict[str, Any]:
  """A photo's objects in short; the fields are those of scene.json.

  Args:
    path: of the photo.
    folder: of its scene.
    objects: of it.

  Returns:
    {"path", "folder", "objects": [{"label", "score", "cad_id", "similarity",
    "confident"}]}; with "ground", where a ground plane was asked for.
  """
  return {
    'path': path,
    'folder': folder,
    'objects': [
      {
        'label': found.label_name,
        'score': float(found.cad.score),
        'cad_id': found.cad.cad_id,
        'similarity': found.similarity,
        'confident': found.confident,
        **({} if found.ground is None else {'ground': found.ground}),
      }
      for found in objects
    ],
  }


def line(photo: Mapping[str, Any]) -> str:
  """The CADs of a photo, and how like they are."""
  objects = photo['objects']
  if not objects:
    return (
      f"{photo['folder']}: no object of the gallery's classes; see --min_score"
    )
  text = ', '.join(f'{x["cad_id"]} ({x["similarity"]:.2f})' for x in objects)
  on_ground = sum(x.get('ground', False) for x in objects)
  if on_ground:
    text += f'; {on_ground} put on the ground plane'
  return f'{photo["folder"]}: {text}'


def last_line(photos: Sequence[Mapping[str, Any]], num_photos: int) -> str:
  """How many of all photos were predicted, and what is in them."""
  counts = [len(photo['objects']) for photo in photos]
  return (
    f'{len(counts)} of {num_photos} photos predicted: {sum(counts)} objects; '
    f'{counts.count(0)} photos without any.'
  )


def as_json(photos: Sequence[Mapping[str, Any]], num_photos: int) -> str:
  """{"num_photos", "photos": [...]}, for scripts.

  Args:
    photos: that were predicted.
    num_photos: of the call, those that were left alone or out among them.
  """
  content = {'num_photos': num_photos, 'photos': list(photos)}
  return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
