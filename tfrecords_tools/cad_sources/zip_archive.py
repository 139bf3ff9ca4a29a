"""Zip archives from elsewhere: opened and read within limits, never unpacked.

The limits are some ten times what Sweet Home 3D's own catalogues have: 3,714
members, 9 MB in the largest, 20 bytes unpacked for each that is packed.
"""

import io
import os
import stat
import struct
import zipfile
import zlib
from typing import BinaryIO
from typing import List
from typing import Union

from mask2cad_tf.foreign import paths

MAX_MEMBERS = 50_000
MAX_MEMBER_BYTES = 128 << 20
MAX_RATIO = 200  # of members above _SMALL; deflate can do 1,032
_SMALL = 1 << 20  # bytes; short runs of one value compress well
_MAX_DIRECTORY_BYTES = 8 << 20
_END = struct.Struct('<4s4H2LH')  # end of central directory
_END_MARK, _ZIP64_MARK = b'PK\x05\x06', b'PK\x06\x07'
_ZIP64_BYTES = 20  # before the end, where there is one
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class ZipArchive:
  """A zip archive whose directory is sound."""

  def __init__(self, source: Union[str, bytes], where: str):
    """Reads the directory.

    Args:
      source: path of the file, or its bytes.
      where: how messages name it.

    Raises:
      OSError: it cannot be opened.
      ValueError: no archive, or one that nobody makes by accident: too many
        members; a member that unpacks to too much; two of one name but for
        case; a link; an absolute path, '..', a backslash, a drive, NUL.
    """
    self._where = where

    def stream() -> BinaryIO:
      return (
        open(source, 'rb') if isinstance(source, str) else io.BytesIO(source)
      )

    with stream() as file:
      _check_end(file, where)
    try:
      self._zip = zipfile.ZipFile(
        source if isinstance(source, str) else stream()
      )
    except (
      zipfile.BadZipFile,
      NotImplementedError,
      OverflowError,
      ValueError,
      struct.error,
    ) as error:
      raise ValueError(
        f'{where} is no .sh3f or .jar file, nor another zip archive ({error}). '
        'Fetch it again.'
      ) from error
    _check_members(self._zip.infolist(), where)

  def __contains__(self, member: str) -> bool:
    return member in self._zip.NameToInfo

  @property
  def names(self) -> List[str]:
    """Of the members, in their order."""
    return self._zip.namelist()

  def read(self, member: str) -> bytes:
    """A member's bytes.

    Raises:
      KeyError: there is none of this name.
      ValueError: it is damaged or encrypted.
    """
    info = self._zip.getinfo(member)
    try:
      return self._zip.read(info)
    except (
      zipfile.BadZipFile,
      zlib.error,
      EOFError,
      NotImplementedError,
      OSError,
      RuntimeError,
      ValueError,
      struct.error,
    ) as error:
      raise ValueError(
        f'{self._where}: {member} is damaged ({error}). Fetch it again.'
      ) from error


def _check_end(file: BinaryIO, where: str) -> None:
  """Bounds the directory before zipfile makes an object of each entry."""
  file.seek(0, os.SEEK_END)
  size = file.tell()
  file.seek(max(0, size - (1 << 16) - _END.size - _ZIP64_BYTES))
  tail = file.read()
  at = len(tail) - _END.size  # as zipfile looks for it: without a comment first
  if tail[at : at + 4] != _END_MARK or tail[-2:] != b'\0\0':
    at = tail.rfind(_END_MARK)
  if at < 0 or len(tail) - at < _END.size:
    return  # no archive, as zipfile will say
  directory = _END.unpack_from(tail, at)[5]
  if tail[max(0, at - _ZIP64_BYTES) : at].startswith(_ZIP64_MARK) or (
    directory > _MAX_DIRECTORY_BYTES
  ):
    raise ValueError(
      f'{where} is larger than any catalogue: a directory of over '
      f'{_MAX_DIRECTORY_BYTES >> 20} MiB, or Zip64. Do not use it.'
    )


def _check_members(members: List[zipfile.ZipInfo], where: str) -> None:
  if len(members) > MAX_MEMBERS:
    raise ValueError(
      f'{where} has {len(members)} members; expected at most {MAX_MEMBERS}. '
      'Do not use it.'
    )
  seen = {}
  for member in members:
    why = _fault(member)
    folded = member.filename.lower()  # folders of some systems ignore case
    if folded in seen:
      why = f'is {seen[folded]!r} again'
    seen[folded] = member.filename
    if why:
      raise ValueError(
        f'{where}: the member {member.orig_filename!r} {why}. Do not use the '
        'archive.'
      )


def _fault(member: zipfile.ZipInfo) -> str:
  """What is wrong with a directory's entry; '' where nothing is."""
  why = paths.fault(member.orig_filename)
  if why:
    return why
  if stat.S_ISLNK(member.external_attr >> 16):
    return 'is a link'
  if member.compress_type not in _METHODS:
    return f'is packed by method {member.compress_type}, not deflate'
  if member.file_size > MAX_MEMBER_BYTES:
    return f'unpacks to {member.file_size} bytes, more than {MAX_MEMBER_BYTES}'
  if member.file_size > max(_SMALL, MAX_RATIO * member.compress_size):
    return (
      f'unpacks {member.compress_size} bytes to {member.file_size}, more than '
      f'{MAX_RATIO} times as many'
    )
  return ''
