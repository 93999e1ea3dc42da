"""Models at rest: signed artefacts, their records, and who is champion."""
