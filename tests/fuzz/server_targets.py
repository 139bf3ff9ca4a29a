"""What a server answers to a client that asked it."""

import contextlib
import io
import json
import os
from unittest import mock

import numpy as np

from mask2cad_tf.configs import mask2cad as mask2cad_config
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.scene import photo as photo_lib
from mask2cad_tf.serving import rest_client
from mask2cad_tf.serving import served_module
from tests.fuzz import gallery_targets
from tests.fuzz import mutations
from tests.fuzz import picture_targets
from tests.fuzz import target

_SHAPES = {
  'detection_boxes': [1, 2, 4],
  'detection_outer_boxes': [1, 2, 4],
  'detection_classes': [1, 2],
  'detection_scores': [1, 2],
  'detection_masks': [1, 2, 3, 3],
  'detection_embeddings': [1, 2, 3],
  'detection_rotations': [1, 2, 4],
  'detection_centers': [1, 2, 2],
  'detection_cad_scores': [1, 2, 1],
}


def _answers():
  """The metadata and the answer, as one JSON that a mutation may change."""
  types = {key: {'dtype': 'DT_FLOAT'} for key in _SHAPES}
  types['num_detections'] = {'dtype': 'DT_INT32'}
  types['detection_cad_ids'] = {'dtype': 'DT_STRING'}
  signatures = {'serve_with_intrinsics': {'outputs': types}}
  outputs = {key: np.ones(shape).tolist() for key, shape in _SHAPES.items()}
  outputs['num_detections'] = [1]
  outputs['detection_cad_ids'] = [[['bed/a'], ['']]]
  metadata = {'metadata': {'signature_def': {'signature_def': signatures}}}
  return (json.dumps([metadata, {'outputs': outputs}]).encode(),)


def _ask(data):
  try:
    bodies = [json.dumps(part).encode() for part in json.loads(data)]
  except (ValueError, RecursionError, TypeError):
    bodies = [data, data]
  answers = iter(bodies)
  path = os.path.join(target.folder(), 'asked.png')
  if not os.path.exists(path):
    with open(path, 'wb') as file:
      file.write(picture_targets.picture('PNG'))
  client = rest_client.RestClient('http://server.test', 'mask2cad', 1.0, 1)
  gallery = gallery_lib.load(gallery_targets.folder())

  def opened(*_, **__):
    return contextlib.closing(io.BytesIO(next(answers, data)))

  with mock.patch('urllib.request.urlopen', opened):
    served_module.ServedModule(
      client,
      gallery,
      mask2cad_config.Retrieval(num_views=2, silhouette_weight=0.4),
      1,
    ).predict(photo_lib.load(path))


TARGETS = (
  target.Target(
    'server_answer',
    'metadata and answer of a model server',
    _ask,
    _answers,
    allowed=(ValueError, ConnectionError),
    says='server.test',
    mutate=mutations.json_changed,
  ),
)
