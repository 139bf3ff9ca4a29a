"""Scene-disjoint splits: ScanNet's own lists, or one made here.

A scan is scene<space>_<visit>: all visits of a space show the same furniture,
so a space belongs to one split.
"""

import os
from typing import Dict
from typing import List
from typing import Sequence

TRAIN, VAL = 'train', 'val'
_EVERY = 5  # every fifth space validates, about as in ScanNet's lists


def split(
  scenes: Sequence[str], train_list: str = '', val_list: str = ''
) -> Dict[str, List[str]]:
  """Deals the scans out.

  Args:
    scenes: ids of the scans that are there.
    train_list: ScanNet's scannetv2_train.txt, one id a line; '' with the
      other also '': every fifth space validates.
    val_list: scannetv2_val.txt.

  Returns:
    'train' and 'val' -> sorted ids; scans that no list names are in neither.

  Raises:
    FileNotFoundError: a list is missing.
    ValueError: one list is given, a space is in both, or nothing is left to
      train on.
  """
  if bool(train_list) != bool(val_list):
    raise ValueError(
      'Give both --train_scenes and --val_scenes, or neither: the rest of one '
      'list is not the other (ScanNet keeps test scans apart).'
    )
  if train_list:
    names = {TRAIN: _read(train_list), VAL: _read(val_list)}
    _check_apart(names)
  else:
    names = _every_fifth(scenes)
  parts = {part: sorted(set(scenes) & set(ids)) for part, ids in names.items()}
  if not parts[TRAIN]:
    raise ValueError(
      f'None of the {len(scenes)} scans with photos and annotations is in the '
      f'training split {train_list!r}. Check the lists and --scannet_dir.'
    )
  return parts


def space(scene_id: str) -> str:
  """'scene0012' of 'scene0012_01'."""
  return scene_id.split('_')[0]


def _every_fifth(scenes: Sequence[str]) -> Dict[str, List[str]]:
  spaces = sorted({space(scene) for scene in scenes})
  val = set(spaces[_EVERY - 1 :: _EVERY] or spaces[1:][-1:])
  return {
    TRAIN: [scene for scene in scenes if space(scene) not in val],
    VAL: [scene for scene in scenes if space(scene) in val],
  }


def _read(path: str) -> List[str]:
  if not os.path.isfile(path):
    raise FileNotFoundError(
      f'No list of scans at {path!r}; expected one id a line, as in '
      "scannetv2_train.txt of ScanNet's repository."
    )
  with open(path, encoding='utf-8') as file:
    return [line.strip() for line in file if line.strip()]


def _check_apart(names: Dict[str, List[str]]) -> None:
  both = sorted(
    {space(s) for s in names[TRAIN]} & {space(s) for s in names[VAL]}
  )
  if both:
    raise ValueError(
      f'The spaces {", ".join(both[:5])} are in the training and in the '
      'validation list: the same furniture would be trained on and tested. '
      'Move all visits of a space to one list.'
    )
