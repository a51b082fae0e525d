"""The command line, `headwater`.

group            the table of commands
access, append, bench, close, create, doctor, info, llm  a command each
ls, rm, serve, signal, tail, token, top, version  and so are these
options          what the commands that talk to a server share
variables        settings that are misspelled in the environment
stream_settings  what a new stream is like
failures         what can go wrong, exit codes
output           results, tables, colour
paragraphs       help texts with examples
address          where it is
remote           the server, by the client
telling          the client, which tells when it tries again
progress         how far long work is, on stderr
newest           where the last records or lines begin
follow           a reader that resumes
tail_one         `tail` of one stream
tail_many        `tail` of several
starts           where each of them begins
many_lines       a live answer of many streams into what it tells
follow_socket    the same on a WebSocket
follow_many      a reader of many streams that resumes
shown            bytes as they are printed
print_many       their records on stdout
heard            signals, and who is there, as they are shown
notices          what else is told of them, on stderr
records          arguments, files, lines
rates            what two looks at counters say
load             what `bench` puts on a server

Rule 1: what talks to a server does so by `headwater.client`; only `load`, which measures, has sockets of its own. The
        client commands import the client, protocol, model and errors only; `serve`, `llm`, `token` and `access` import
        the server, `doctor` its settings and the store of the file.
Rule 2: a command's module is imported when that command runs, so that `headwater --help` and `tail` start fast.
"""

from __future__ import annotations

import sys

from headwater.errors import MissingExtra


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    try:  # what it needs may not be installed, which is to be told and not traced
        from headwater.cli.group import group
    except ModuleNotFoundError as missing:
        if missing.name != "click":
            raise
        print(MissingExtra.of("The command line", "cli"), file=sys.stderr)
        sys.exit(2)
    group(prog_name="headwater")
