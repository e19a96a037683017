"""Writes the JSON Schema of mappings, so that editors complete and check them: `python -m services.connect.document`."""

import json
from pathlib import Path

from services.connect.mapping.model import schema

PATH = Path(__file__).with_name("mapping.schema.json")


def document() -> str:
    """Return the schema as it is committed."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(document(), encoding="utf-8")
