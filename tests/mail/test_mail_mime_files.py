"""Other parsers' awkward mail: every file parses, and no disagreement with what they expect lacks a reason."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from rl_emails_assets.mail.display import attachment_bytes, safe_html
from rl_emails_assets.mail.parse import parse

_SPEC = importlib.util.spec_from_file_location(
    "measure_mime_agreement", Path(__file__).with_name("measure_mime_agreement.py")
)
assert _SPEC is not None
assert _SPEC.loader is not None
agreement = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = agreement
_SPEC.loader.exec_module(agreement)

pytestmark = pytest.mark.skipif(not agreement.DATA.is_dir(), reason="the MIME sets are not beside this repository")


def test_every_file_parses_and_can_be_shown() -> None:
    count = 0
    for _, name, content in agreement.fixture_files():
        for mail in agreement.mails_in(name, content):
            message = parse(mail)
            safe_html(message, mail)
            for attachment in message.attachments[:10]:
                assert len(attachment_bytes(mail, attachment.part_path)[2]) == attachment.size_bytes, name
            count += 1
    assert count > 1_500


def test_every_disagreement_has_a_reason() -> None:
    comparisons = agreement.compare_all()
    reasons = json.loads(agreement.REASONS_FILE.read_text(encoding="utf-8"))
    unexplained = [
        (one.file, one.field) for one in comparisons if not one.agrees and not agreement.reason_for(one, reasons)
    ]
    assert unexplained == []
    assert sum(one.agrees for one in comparisons) >= 0.88 * len(comparisons)
    assert "not explained" not in agreement.report(comparisons, 1, reasons)


def test_no_reason_is_left_over() -> None:
    """A reason for a disagreement that is gone would hide its return."""
    disagreements = [one for one in agreement.compare_all() if not one.agrees]
    for reason in json.loads(agreement.REASONS_FILE.read_text(encoding="utf-8")):
        assert any(agreement.reason_for(one, [reason]) for one in disagreements), reason
