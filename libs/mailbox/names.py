"""Folder names: modified UTF-7 (RFC 3501 section 5.1.3) both ways. Pure.

A wire name is latin-1 text of the bytes in the protocol. Any wire name decodes
to something that can be read; the wire name itself stays the handle.
"""

import binascii
import re

_SHIFTED = re.compile(r"&([^-]*)-")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")
_RAW = re.compile(r"[\x80-\xff]+")


def decode_name(wire: str) -> str:
    """`Entw&APw-rfe` → `Entwürfe`.

    What is not modified UTF-7 stays as it stands; raw bytes above ASCII are
    read as UTF-8 where they are UTF-8, else as latin-1. The result can be
    encoded as UTF-8 (no lone surrogates).
    """
    if wire.isascii() and "&" not in wire:
        return wire
    return _SHIFTED.sub(_unshift, _RAW.sub(_unmangle, wire))


def encode_name(name: str) -> str:
    """`Entwürfe` → `Entw&APw-rfe`. `decode_name` gives the name back."""
    if name.isascii() and name.isprintable():
        return name.replace("&", "&-")
    return _UNPRINTABLE.sub(_shift, name.replace("&", "&-"))


def quoted(wire: str) -> bytes:
    """The name as a quoted string of a command. It must hold no line break and no NUL."""
    return b'"' + wire.replace("\\", "\\\\").replace('"', '\\"').encode("latin-1") + b'"'


def _unshift(match: re.Match[str]) -> str:
    shifted: str = match[1]
    if not shifted:
        return "&"
    try:
        padded = shifted.replace(",", "/") + "=" * (-len(shifted) % 4)
        return binascii.a2b_base64(padded.encode("ascii"), strict_mode=True).decode("utf-16-be")
    except ValueError:  # not ASCII, not base64, or not UTF-16
        return match[0]


def _unmangle(match: re.Match[str]) -> str:
    raw: str = match[0]
    try:
        return raw.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return raw


def _shift(match: re.Match[str]) -> str:
    utf16: bytes = match[0].encode("utf-16-be", "replace")
    return "&" + binascii.b2a_base64(utf16, newline=False).decode().rstrip("=").replace("/", ",") + "-"
