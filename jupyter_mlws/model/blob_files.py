"""Where blobs lie in a workspace: known to the server, and to clients on its machine."""

from __future__ import annotations

import re

BLOBS = "blobs"
"""The folder, below the workspace's."""
INCOMING = "incoming"
"""The folder of what is not whole yet, below it. A client may lay a file there for the server to take."""
INCOMING_NAME = re.compile(r"[0-9a-f]{32}")
"""What such a file is called."""
