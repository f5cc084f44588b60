"""The memory of a garden shop's adviser."""

from recollect.core.manifest import read_pack

PACK = read_pack(__name__)
