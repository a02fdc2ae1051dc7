"""`visit prepare`: not written yet."""

import sys


def options(parser):
    parser.description = __doc__


def main(args):
    del args
    print("visit prepare: not written yet", file=sys.stderr)
    return 2
