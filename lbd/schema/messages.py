"""Values that end up in HTTP messages or are matched against them (RFC 9110, RFC 9112): nothing may break framing."""

import re
from typing import Any

import re2

from lbd.schema.addresses import host_of
from lbd.schema.kinds import ValueKind, many, mapping, text_of
from lbd.wording import listed, shown

# Fields that say how a message is framed or belong to one connection: lbd writes these itself (RFC 9110, 7.6.1).
FRAMING = frozenset(("connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer",
                     "transfer-encoding", "upgrade"))
STANDARD_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH")
LENIENCIES = ("status", "control-characters", "line-feeds", "http10-chunked", "name-spaces")
PLACEHOLDERS = ("{host}", "{path}", "{query}")

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}")
_PORT = re.compile(":[0-9]{1,5}")
_BRACES = re.compile(r"\{[^{}]*\}?|\}")


def _field_name(value: Any) -> str:
    text = text_of(value)
    if not _TOKEN.fullmatch(text):
        raise ValueError("is not the name of a header field")
    return text


def _field_value(value: Any) -> str:
    text = text_of(value)
    if any((ord(letter) < 32 and letter != "\t") or ord(letter) == 127 for letter in text):
        raise ValueError("has a control character in it")
    if text != text.strip(" \t"):
        raise ValueError("begins or ends with white space")
    return text


def _edited(value: Any) -> str:
    name = _field_name(value)
    if name.lower() in FRAMING:
        raise ValueError("frames messages, which lbd does itself")
    if name.lower() == "host":
        raise ValueError("is set by the key `host` of the backend")
    return name


def _method(value: Any) -> str:
    text = text_of(value)
    if not _TOKEN.fullmatch(text):
        raise ValueError("is not a method")
    if text not in STANDARD_METHODS and text.upper() in STANDARD_METHODS:
        raise ValueError(f'is not "{text.upper()}"; methods know upper and lower case')
    if text == "CONNECT":
        raise ValueError("is never passed on")
    return text


def _url_path(value: Any) -> str:
    text = text_of(value)
    if not text.startswith("/"):
        raise ValueError('does not begin with "/"')
    if "?" in text or "#" in text:
        raise ValueError("has a query or fragment, which is no part of the path")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise ValueError("has a control character in it")
    if _ESCAPED.search(text):
        raise ValueError("is percent-encoded; paths are matched decoded, so write the character itself")
    if any(segment in (".", "..") for segment in text.split("/")):
        raise ValueError("has a dot segment, which no path has when it is matched")
    return text


def _target(value: Any) -> str:
    text = text_of(value)
    if not text.startswith("/"):
        raise ValueError('does not begin with "/"')
    if not text.isascii() or any(ord(letter) <= 32 or ord(letter) == 127 for letter in text) or "#" in text:
        raise ValueError("has a character in it that must be percent-encoded")
    return text


def _regex(value: Any) -> str:
    text = text_of(value)
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(text, options)
    except re2.error as error:
        why = error.args[0]
        why = why.decode(errors="replace") if isinstance(why, bytes) else why
        raise ValueError(f"is not a pattern ({why})") from None
    return text


def _host_pattern(value: Any) -> str:
    text = text_of(value)
    star, rest = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    if "*" in rest:
        raise ValueError('has a "*" that is not the whole first label')
    if rest.startswith("["):
        host, _, port = rest[1:].partition("]")
    else:
        host, _, port = rest.partition(":") if rest.count(":") == 1 else (rest, "", "")
    if port:
        raise ValueError("has a port; hosts are matched without it")
    name = host_of(host)
    return star + (f"[{name}]" if ":" in name else name)


def _authority(value: Any) -> str:
    """A Host as it is sent (RFC 9110, 7.2): nothing in it could be read as something else."""
    text = text_of(value)
    if text.startswith("["):
        name, _, port = text[1:].partition("]")
    else:
        name, colon, port = text.partition(":")
        port = colon + port
    if port and not (_PORT.fullmatch(port) and 1 <= int(port[1:]) <= 65535):
        raise ValueError("has a port that is not 1 to 65535")
    host_of(name)
    return text


def _redirect(value: Any) -> str:
    text = text_of(value)
    if not text.isascii() or any(ord(letter) <= 32 or ord(letter) == 127 for letter in text):
        raise ValueError("has a character in it that must be percent-encoded")
    if not text.startswith(("/", "http://", "https://", "{path}")):
        raise ValueError('begins with neither "http://", "https://" nor "/"')
    for found in _BRACES.findall(text):
        if found not in PLACEHOLDERS:
            raise ValueError(f'has the unknown placeholder "{found}"')
    return text


def _match(value: Any) -> str:
    text = _field_value(value)
    if not text:
        raise ValueError('is empty; write "*" for any value')
    return text


def _lenient(value: Any) -> str:
    if text_of(value) not in LENIENCIES:
        raise ValueError("is not known")
    return str(value)


_STRING = {"type": "string"}
_TOKENS = {"type": "string", "pattern": r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"}
_ROOTED = {"type": "string", "pattern": "^/"}

FIELD_NAME = ValueKind("field name", "a header field's name", _field_name, _TOKENS)
FIELD_NAMES = many(FIELD_NAME, "names of header fields")
FIELD_VALUE = ValueKind("field value", "a header field's value: one line", _field_value, _STRING)
FIELDS = mapping(FIELD_NAME, FIELD_VALUE, 'a table of field = "value"')
_EDITED = ValueKind("edited field", "a header field's name", _edited, _TOKENS)
EDITS = mapping(_EDITED, FIELD_VALUE, 'a table of field = "value"')
EDIT_NAMES = many(_EDITED, "names of header fields")
_MATCH = ValueKind("field match", 'a value, or "*" for any', _match, _STRING)
HEADER_MATCH = mapping(FIELD_NAME, _MATCH, 'a table of field = "value" or field = "*"')
METHOD = ValueKind("method", 'a method like "GET"', _method, _TOKENS, STANDARD_METHODS)
METHODS = many(METHOD, 'one method like "GET", or an array of them')
URL_PATH = ValueKind("path", 'a path that begins with "/"', _url_path, _ROOTED)
TARGET = ValueKind("target", 'a path that begins with "/", a query after it if wanted', _target, _ROOTED)
REGEX = ValueKind("pattern", "an RE2 pattern (github.com/google/re2/wiki/Syntax)", _regex, {"type": "string"})
HOST_PATTERN = ValueKind("host pattern", 'a host name, or "*." and a host name', _host_pattern,
                         {"type": "string", "minLength": 1})
AUTHORITY = ValueKind("host field", "a host name or an IP address, with a port if wanted", _authority,
                      {"type": "string", "minLength": 1})
LENIENT = many(ValueKind("leniency", listed(map(shown, LENIENCIES)), _lenient, {"enum": list(LENIENCIES)}, LENIENCIES),
               listed(map(shown, LENIENCIES), "and"))
REDIRECT = ValueKind("redirect", "a URL or a path; {host}, {path} and {query} stand for the request's own", _redirect,
                     {"type": "string", "minLength": 1})
