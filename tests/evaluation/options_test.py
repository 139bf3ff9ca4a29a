import pytest

from mask2cad_tf.evaluation import options

_MODEL = {'records': 'r', 'output_dir': 'o', 'model': 'm', 'gallery': 'g'}
_TRUTH = {'ground_truth': True, 'library': 'l', 'model': '', 'gallery': ''}


@pytest.mark.parametrize(
  'changes,message',
  [
    ({'records': ''}, '--records and --output_dir'),
    ({'output_dir': ''}, '--records and --output_dir'),
    ({'gallery': ''}, '--model and --gallery'),
    ({'model': ''}, '--model and --gallery'),
    ({'ground_truth': True}, 'needs --library'),
    ({'ground_truth': True, 'library': 'l'}, 'neither --model nor --gallery'),
    ({'search': 'approximate', 'training_free': True}, '--search is of the'),
    ({**_TRUTH, 'search': 'approximate'}, '--search is of the'),
    ({'detections_only': True, 'true_boxes': True}, 'leaves true boxes out'),
    ({'detections_only': True, 'report': True}, 'leaves true boxes out'),
    (
      {**_TRUTH, 'refine': True},
      '--ground_truth has nothing to refine or retrieve',
    ),
    (
      {**_TRUTH, 'training_free': True},
      '--ground_truth has nothing to refine or retrieve',
    ),
  ],
)
def test_missing_or_contradicting_options(changes, message):
  with pytest.raises(ValueError, match=message):
    options.Options(**{**_MODEL, **changes}).check()


def test_folders_are_checked_before_anything_is_loaded(tmp_path):
  with pytest.raises(FileNotFoundError, match='No CAD library'):
    options.Options(**_MODEL, library=str(tmp_path / 'none')).check()
  (tmp_path / 'file').touch()
  with pytest.raises(FileExistsError, match='is a file'):
    options.Options(**{**_MODEL, 'output_dir': str(tmp_path / 'file')}).check()


def test_good_options_pass(tmp_path):
  options.Options(**_MODEL).check()
  options.Options(
    'r', str(tmp_path), library=str(tmp_path), ground_truth=True
  ).check()


def test_reader_learns_where_boxes_come_from():
  assert options.Options(**_MODEL).boxes == 'detected'
  assert 'similarity' in options.Options(**_MODEL, true_boxes=True).boxes
  assert options.Options('r', 'o', ground_truth=True).boxes == 'true'
