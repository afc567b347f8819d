"""Which release this is: as in pyproject.toml, which is not there where the portal runs."""

VERSION = "0.1.0"
