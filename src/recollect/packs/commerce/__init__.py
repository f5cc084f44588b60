"""The memory of a furniture retailer's chat."""

from recollect.core.manifest import read_pack

PACK = read_pack(__name__)
