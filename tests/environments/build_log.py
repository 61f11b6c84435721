"""A build log that keeps what it is told."""


class Log:
    """Keeps steps, lines and notes as text, in order; and how far it was."""

    def __init__(self):
        self.told = []
        self.notes = []
        self.progressed = []

    def step(self, text):
        self.told.append(text)

    def line(self, text):
        self.told.append(text)

    def note(self, text):
        self.told.append(text)
        self.notes.append(text)

    def progress(self, done, total, text):
        self.progressed.append((done, total))

    @property
    def text(self):
        return "\n".join(self.told)
