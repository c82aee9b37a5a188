"""A terminal with a person at it: frostline runs on a pseudo-terminal of its own, keys are sent, and
what stands on the screen is seen as a terminal of that size would show it."""
import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time


class Screen:
    """Enough of a terminal: text that wraps, carriage return, line feed, the cursor up, erasing to the
    end of a line and of the screen, colours (which are not kept).  Any other order is an error.  What
    scrolls off the top is kept in `gone`.  Lines are not wrapped anew when the width changes."""

    ORDER = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")
    BEGUN = re.compile(r"\x1b(\[[?0-9;]*)?\Z")  # the rest of it comes with what is read next

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.lines, self.gone = [""], []
        self.row = self.column = 0
        self.begun = ""

    def show(self, text):
        text, at = self.begun + text, 0
        begun = self.BEGUN.search(text)
        self.begun = begun.group() if begun else ""
        text = text.removesuffix(self.begun)
        while at < len(text):
            if text[at] == "\x1b":
                order = self.ORDER.match(text, at)
                assert order, f"an order that is none: {text[at:at + 20]!r}"
                self.obey(order.group(1), order.group(2))
                at = order.end()
            else:
                self.put(text[at])
                at += 1

    def obey(self, number, order):
        if order == "A":
            self.row = max(0, self.row - int(number or 1))
        elif order == "K" and number in ("", "0"):
            self.lines[self.row] = self.lines[self.row][:self.column]
        elif order == "J" and number in ("", "0"):
            self.lines[self.row] = self.lines[self.row][:self.column]
            del self.lines[self.row + 1:]
        else:
            assert order == "m", f"an order that nobody knows: {number}{order}"

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.feed()
        elif character == "\b":
            self.column = max(0, self.column - 1)
        else:
            assert character >= " ", f"a character that is no text: {character!r}"
            if self.column >= self.columns:
                self.feed()
                self.column = 0
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[:self.column] + character + line[self.column + 1:]
            self.column += 1

    def feed(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")
        if self.row == self.rows:
            self.gone.append(self.lines.pop(0))
            self.row -= 1

    def text(self):
        """All that can be read, what was scrolled away first."""
        return "\n".join([*self.gone, *self.lines]).rstrip("\n") + "\n"


class Terminal:
    """frostline, or any command, at a terminal.  `stdout` goes elsewhere if it is given."""

    def __init__(self, *words, cwd=None, environment=None, columns=80, rows=24, stdout=None):
        environment = dict({"TERM": "xterm-256color"}, **(environment or os.environ))
        self.near, far = pty.openpty()
        self.screen, self.decode = Screen(columns, rows), codecs.getincrementaldecoder("utf-8")()
        self.said, self.seen = "", 0  # `seen`: how much of it was expected already
        self.set_size(columns, rows)
        self.process = subprocess.Popen(
            words, cwd=cwd, env=environment, stdin=far, stderr=far,
            stdout=far if stdout is None else stdout, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(far)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.near)

    def set_size(self, columns, rows):
        fcntl.ioctl(self.near, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns):
        self.screen.columns = columns
        self.set_size(columns, self.screen.rows)
        self.signal(signal.SIGWINCH)

    def signal(self, number):
        self.process.send_signal(number)

    def send(self, keys):
        os.write(self.near, keys.encode())

    def echoes(self):
        """Does the terminal show what is typed?"""
        return bool(termios.tcgetattr(self.near)[3] & termios.ECHO)

    def listen(self, seconds):
        """Take what comes within that time; False if there was nothing, or never will be."""
        if not select.select([self.near], [], [], seconds)[0]:
            return False
        try:
            said = self.decode.decode(os.read(self.near, 1 << 16))
        except OSError:  # nobody has the other end open any more
            return False
        self.said += said
        self.screen.show(said)
        return True

    def until(self, what, timeout=30):
        """Listen until what() is true, and return what it gave."""
        end = time.monotonic() + timeout
        while not (found := what()):
            ended = self.process.poll() is not None
            if not self.listen(0.05) and (ended or time.monotonic() > end):
                raise AssertionError(("it ended" if ended else "it took too long") +
                                     f", on the screen:\n{self.screen.text()}\n{self.said!r}")
        return found

    def expect(self, text, timeout=30):
        """Listen until it said this, behind what was expected before."""
        at = self.until(lambda: self.said.find(text, self.seen) + 1, timeout)
        self.seen = at - 1 + len(text)

    def until_shown(self, pattern, timeout=30):
        """Listen until the screen has text that matches the pattern."""
        return self.until(lambda: re.search(pattern, self.screen.text(), re.M), timeout)

    def end(self, timeout=60):
        """Listen to the end; the exit code."""
        end = time.monotonic() + timeout
        while self.process.poll() is None:
            assert time.monotonic() < end, f"it does not end:\n{self.screen.text()}"
            self.listen(0.05)
        while self.listen(0.05):
            pass
        return self.process.returncode
