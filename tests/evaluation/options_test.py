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


class _Gallery:
  version, cads = 'v', ('bed/a', 'bed/b')


def test_the_reader_learns_what_was_evaluated():
  def about(**changes):
    return options.Options(**{**_MODEL, **changes}).about(_Gallery)

  assert about()['boxes'] == 'detected'
  assert 'similarity' in about(true_boxes=True)['boxes']
  assert (about()['gallery_version'], about()['gallery_cads']) == ('v', 2)
  assert about()['true_meshes'] == 'g'
  assert about(library='l')['true_meshes'] == 'l'
  assert about()['refined'] == 'no'
  refined = about(refine=True, refine_seconds=1.5)['refined']
  assert refined == '1.5 s an object, the 5 best detections of a photo'
  assert 'search' not in about()
  assert about(search='approximate')['search'] == 'approximate'
  truth = options.Options(**{**_MODEL, **_TRUTH}).about()
  assert truth['predictions'] == 'the ground truth itself'
  assert truth['boxes'] == 'true' and truth['true_meshes'] == 'l'


def test_the_oracle_swaps_boxes_where_both_kinds_are_there():
  def oracles(**changes):
    return options.Options(**{**_MODEL, **changes}).oracles

  assert oracles() == ('shape', 'rotation', 'translation', 'box')
  assert 'box' not in oracles(true_boxes=True)
  assert 'box' not in oracles(detections_only=True)
  assert oracles(**_TRUTH) == ()
