"""Voila compiles its templates anew for every page, which takes half a second; here they are kept compiled."""

from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from voila.exporter import VoilaExporter


class Kept(BytecodeCache):
    """Compiled templates, in memory; one whose source has changed is compiled again."""

    def __init__(self):
        self.codes: dict[str, tuple] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self.codes.get(bucket.key, (None, None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.codes[bucket.key] = bucket.checksum, bucket.code


def keep_templates() -> None:
    """From now on, for all pages of this process."""
    create = getattr(VoilaExporter, "plain_environment", VoilaExporter._create_environment)
    kept = Kept()

    def create_kept(exporter) -> Environment:
        environment = create(exporter)
        environment.bytecode_cache = kept
        return environment

    VoilaExporter.plain_environment, VoilaExporter._create_environment = create, create_kept
