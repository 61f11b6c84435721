"""HTML as a notebook that is not trusted may show it."""

from html.parser import HTMLParser


class _Strict(HTMLParser):
    """Every tag that is opened is closed, in order; nothing active."""

    def __init__(self):
        super().__init__()
        self.open, self.tags = [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check_html(text):
    parser = _Strict()
    parser.feed(text)
    assert parser.open == []
    assert not parser.tags & {"script", "img", "svg", "iframe", "link", "style"}
    text.encode()
