"""From a parsed message to what the classifier is told, for training and measuring: no owner and no history."""

from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.mail.links import has_mismatched_link
from rl_emails_assets.mail.markup import markup
from rl_emails_assets.mail.message import Message


def input_of(message: Message) -> ClassifierInput:
    """The message as its first reader would see it, knowing nothing of the owner."""
    sender = message.from_ or message.sender
    low = message.text[:100_000].lower()
    return ClassifierInput(
        subject=message.subject,
        new_text=message.new_text,
        text=message.text,
        from_name=sender.name if sender else "",
        from_address=sender.address if sender else "",
        reply_to_address=message.reply_to[0].address if message.reply_to else "",
        to_count=len(message.to),
        cc_count=len(message.cc),
        headers=message.headers,
        has_calendar=message.calendar is not None,
        calendar_method=message.calendar.method if message.calendar else "",
        calendar_starts_at=message.calendar.starts_at if message.calendar else None,
        attachment_names=tuple(attachment.filename for attachment in message.attachments),
        is_html_only=message.is_html_only,
        link_count=low.count("http://") + low.count("https://"),
        has_mismatched_link=has_mismatched_link(message.html),
        received_at=message.received_at,
        rfc822_message_id=message.rfc822_message_id,
        is_reply=bool(message.in_reply_to or message.references),
        markup=markup(message.html),
    )
