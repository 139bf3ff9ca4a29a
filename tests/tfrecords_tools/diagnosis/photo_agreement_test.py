import io

import numpy as np
import pytest
from PIL import Image

from tests.tfrecords_tools.diagnosis import good_data
from tfrecords_tools.diagnosis import photo_agreement
from tfrecords_tools.diagnosis import projections


def test_the_true_pose_beats_wrong_ones(tmp_path):
  library = good_data.write_library(tmp_path)
  photo = good_data.photos(library, count=1)[0]
  item = photo.objects[0]
  image = Image.open(io.BytesIO(photo.encoded)).convert('RGB')
  view = projections.View(
    np.array(photo.intrinsics), good_data.HEIGHT, good_data.WIDTH
  )
  drawer = projections.Projector(library).renderer(item.mesh)

  def score(turn, shift):
    pose = projections.Pose(
      item.rotation @ good_data.look(turn, 0.0),
      item.translation + [shift, 0.0, 0.0],
    )
    return photo_agreement.measure(image, drawer, pose, view).score

  true = score(0.0, 0.0)
  assert true > 0.6
  for wrong in ((0.0, 0.12), (0.0, -0.12), (0.5, 0.0)):
    assert score(*wrong) < true - 0.2
  empty = Image.new('RGB', image.size, (128, 128, 128))
  pose = projections.Pose(item.rotation, item.translation)
  flat = photo_agreement.measure(empty, drawer, pose, view)
  assert flat.score == pytest.approx(0.0)
