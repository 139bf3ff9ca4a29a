"""All targets by name."""

from tests.fuzz import annotation_targets
from tests.fuzz import archive_targets
from tests.fuzz import gallery_targets
from tests.fuzz import mesh_targets
from tests.fuzz import model_targets
from tests.fuzz import picture_targets
from tests.fuzz import record_targets
from tests.fuzz import server_targets

TARGETS = {
  target.name: target
  for module in (
    annotation_targets,
    archive_targets,
    gallery_targets,
    mesh_targets,
    model_targets,
    picture_targets,
    record_targets,
    server_targets,
  )
  for target in module.TARGETS
}
