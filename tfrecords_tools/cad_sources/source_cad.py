"""A CAD of a collection, before it is in a library."""

import abc
import dataclasses
import hashlib
import os
from typing import NamedTuple
from typing import Tuple


class Written(NamedTuple):
  """What a CAD left in its folder of the library."""

  meshes: Tuple[str, ...]  # file names
  sha256: str  # of the files it came from, in their order


class Failure(NamedTuple):
  """A CAD, or what was meant to be one, that cannot be used."""

  id: str
  reason: str


@dataclasses.dataclass(frozen=True)
class SourceCad(abc.ABC):
  """A CAD of a collection; knows how it gets into a library. Picklable."""

  cad_id: str  # '<class>/<shape>'
  name: str  # for people
  licence: str
  creator: str
  source: str  # collection and place in it
  scale: float  # metres per unit of the written meshes, 0 = arbitrary

  @property
  def label_name(self) -> str:
    """The class."""
    return self.cad_id.split('/')[0]

  @abc.abstractmethod
  def write(self, folder: str) -> Written:
    """Writes the CAD's meshes into an empty folder.

    Raises:
      meshes.MeshError, OSError: it cannot be read.
    """


def sha256(paths: Tuple[str, ...]) -> str:
  """Of the files' contents, one after the other."""
  digest = hashlib.sha256()
  for path in paths:
    with open(path, 'rb') as file:
      digest.update(file.read())
  return digest.hexdigest()


def write_bytes(folder: str, name: str, data: bytes) -> None:
  """Writes a file of a CAD's folder."""
  with open(os.path.join(folder, name), 'wb') as file:
    file.write(data)
