"""Headless Chromium for pages on disk; it reports what they ask and say."""

import contextlib
import shutil
from typing import Dict
from typing import Iterator
from typing import List
from typing import Tuple

import numpy as np
import pytest
from PIL import Image
from playwright import sync_api

_FLAGS = (
  '--no-sandbox',  # containers run as root
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
)
_WEBGL = ('--use-angle=swiftshader', '--enable-unsafe-swiftshader')
_SECONDS = 60


class Tab:
  """A loaded page.

  Attributes:
    page: Playwright's.
    said: console messages, errors of the page.
    requests: URLs asked for.
  """

  def __init__(self, page: sync_api.Page):
    self.page = page
    self.said: List[str] = []
    self.requests: List[str] = []
    page.on('console', lambda message: self.said.append(message.text))
    page.on('pageerror', lambda error: self.said.append(str(error)))
    page.on('request', lambda request: self.requests.append(request.url))

  def screenshot(self, folder, selector: str) -> np.ndarray:
    """What shows where an element stands, uint8 [H, W, 3]."""
    path = str(folder / 'screenshot.png')
    box = self.page.locator(selector).bounding_box()
    self.page.screenshot(path=path, clip=box)
    with Image.open(path) as image:
      return np.asarray(image.convert('RGB'))


class Browsers:
  """Debian's Chromium, with and without WebGL; each started once."""

  def __init__(self, playwright: sync_api.Playwright, program: str):
    self._playwright = playwright
    self._program = program
    self._started: Dict[bool, sync_api.Browser] = {}

  def start(self, webgl: bool = True) -> sync_api.Browser:
    """The browser, started at the first call."""
    if webgl not in self._started:
      self._started[webgl] = self._playwright.chromium.launch(
        executable_path=self._program,
        args=[*_FLAGS, *(_WEBGL if webgl else ('--disable-3d-apis',))],
      )
    return self._started[webgl]


@contextlib.contextmanager
def browsers() -> Iterator[Browsers]:
  """Closes them at the end; the test is skipped where there is none."""
  program = shutil.which('chromium') or shutil.which('google-chrome')
  if program is None:
    pytest.skip('needs Chromium: apt-get install chromium')
  with sync_api.sync_playwright() as playwright:
    yield Browsers(playwright, program)


def open_page(
  browser: sync_api.Browser, path: str, size: Tuple[int, int] = (1100, 700)
) -> Tab:
  """Opens a scene page and waits until it says that it is ready."""
  tab = Tab(browser.new_page(viewport={'width': size[0], 'height': size[1]}))
  tab.page.goto(f'file://{path}')
  tab.page.wait_for_selector(
    'html[data-ready]', state='attached', timeout=1e3 * _SECONDS
  )
  return tab
