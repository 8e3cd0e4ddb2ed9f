"""What ``mmcgan doctor`` finds out about an installation and the machine it is on."""

from mmcgan.diagnosis.finding import BROKEN, NOTE, OK, Finding
from mmcgan.diagnosis.report import SECTIONS, as_json, as_text, diagnose, is_broken

__all__ = ["BROKEN", "NOTE", "OK", "SECTIONS", "Finding", "as_json", "as_text", "diagnose", "is_broken"]
