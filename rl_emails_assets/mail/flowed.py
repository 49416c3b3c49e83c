"""format=flowed text (RFC 3676): soft line breaks joined again."""


def unflow(text: str, *, delsp: bool) -> str:
    """Paragraphs on one line each, quote marks kept as "> ", space stuffing removed.

    `text` has "\\n" line ends. `delsp` removes the space before a soft break, as senders of Asian scripts ask for.
    """
    out: list[str] = []
    paragraph: list[str] = []
    paragraph_depth = 0

    def flush() -> None:
        if paragraph:
            marks = ">" * paragraph_depth + " " if paragraph_depth else ""
            out.append(marks + "".join(paragraph))
            paragraph.clear()

    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        if depth != paragraph_depth:
            flush()
            paragraph_depth = depth
        if content == "-- ":
            flush()
            paragraph.append(content)
            flush()
        elif content.endswith(" "):
            paragraph.append(content[:-1] if delsp else content)
        else:
            paragraph.append(content)
            flush()
    flush()
    return "\n".join(out)
