"""What a file is, by its name and its first bytes, before any of it is parsed.

Names are claims. A name chooses the parser; the bytes may refuse it.
"""

import re
from typing import BinaryIO

from annotate.parsing.contract import Limits, Source
from annotate.parsing.faults import FaultLog, HaltError, shown

FORMATS = {"csv": "csv", "tsv": "tsv", "jsonl": "jsonl", "ndjson": "jsonl", "json": "json"}
HEAD_BYTES = 4096
BOM = b"\xef\xbb\xbf"
SUPPORTED = "Upload CSV, TSV, JSONL (or .ndjson) or JSON."

MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ\x00", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a", "a RAR archive"),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Word file"),
    (b"{\\rtf", "an RTF document"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"Obj\x01", "an Avro file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"SQLite format 3\x00", "a SQLite database"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
)
CONTROLS = bytes({*range(32), 127} - set(b"\t\n\v\f\r\x1b"))
CONTROL_SHARE = 0.02
UNDECODED_SHARE = 0.1
PICKLE = re.compile(rb"\x80[\x02-\x05][\x80-\xff\x00-\x7f]")


def recognise(source: Source, stream: BinaryIO, limits: Limits, log: FaultLog, file: str) -> str:
    """The format of `source`; raises HaltError, with the reason logged, if it cannot be read."""
    refuse = _Refusal(log, file)
    ending = _ending(source.name)
    if ending not in FORMATS and ending != "parquet":
        refuse(
            "unsupported_extension", f"files ending in {shown(ending)} are not read. {SUPPORTED}"
        )
    size = stream.seek(0, 2)
    stream.seek(0)
    if size > limits.max_file_bytes:
        refuse(
            "file_too_large",
            f"the file has {size:,} bytes; at most {limits.max_file_bytes:,} are taken. "
            "Split it into several batches.",
        )
    head = stream.read(HEAD_BYTES)
    if ending == "parquet":
        _refuse_parquet(head, stream, size, refuse)
    _refuse_content(head, refuse)
    return FORMATS[ending]


class _Refusal:
    def __init__(self, log: FaultLog, file: str) -> None:
        self._log = log
        self._file = file

    def __call__(self, code: str, text: str, line: int | None = None) -> None:
        self._log.error(code, text, line=line, file=self._file)
        raise HaltError


def _ending(name: str) -> str:
    base = re.split(r"[/\\]", name.strip())[-1]
    return base.rpartition(".")[2].lower() if "." in base else ""


def _refuse_parquet(head: bytes, stream: BinaryIO, size: int, refuse: _Refusal) -> None:
    stream.seek(max(0, size - 4))
    if size < 12 or head[:4] != b"PAR1" or stream.read(4) != b"PAR1":
        refuse("wrong_type", f"the file is named .parquet but is not Parquet. {SUPPORTED}")
    refuse("unsupported_extension", f"Parquet is not read. {SUPPORTED}")


def _refuse_content(head: bytes, refuse: _Refusal) -> None:
    if head in (b"", BOM):
        refuse("empty_file", f"the file is empty. {SUPPORTED}", 1)
    encoding = _wide_encoding(head)
    if encoding:
        code = "encoding_utf32" if "32" in encoding else "encoding_utf16"
        refuse(code, f"the file is {encoding}, not UTF-8. Save it as UTF-8 and try again.", 1)
    kind = _binary_kind(head)
    if kind:
        refuse(
            "wrong_type", f"by its content the file is {kind}, whatever its name says.{_cure(head)}"
        )
    byte = _not_text(head)
    if byte is not None:
        refuse(
            "not_utf8",
            f"the file is not text: byte {byte:,} and many after it belong to no encoding of "
            f"text. Choose the file that holds the rows. {SUPPORTED}",
            1,
        )


def _not_text(head: bytes) -> int | None:
    """Offset of the first byte that shows that the file is no text in any encoding, if it is none.

    Texts in old encodings have many bytes that are not UTF-8, and no control characters.
    """
    controls = len(head) - len(head.translate(None, CONTROLS))
    undecoded = sum("\udc80" <= one <= "\udcff" for one in head.decode("utf-8", "surrogateescape"))
    if controls < CONTROL_SHARE * len(head) or undecoded < UNDECODED_SHARE * len(head):
        return None
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        controlled = (at for at, byte in enumerate(head) if byte in CONTROLS)
        return min(error.start, next(controlled, error.start))
    return None


def _binary_kind(head: bytes) -> str:
    if _is_workbook(head):
        return "an Excel workbook (or another Office file)"
    if PICKLE.match(head):
        return "a Python pickle"
    return next((kind for magic, kind in MAGIC if head.startswith(magic)), "")


def _is_workbook(head: bytes) -> bool:
    return head.startswith(b"PK") and (b"xl/" in head or b"[Content_Types].xml" in head)


def _cure(head: bytes) -> str:
    if _is_workbook(head) or head.startswith(b"\xd0\xcf"):
        return " In Excel choose Save As, CSV UTF-8, and upload that."
    return f" Unpack or export it first. {SUPPORTED}"


def _wide_encoding(head: bytes) -> str:
    if head.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "UTF-32"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    # Without a mark the zero bytes of Latin letters give it away: three of four, or every second.
    whole = head[: len(head) // 4 * 4]
    if len(whole) < 4:
        return ""
    zero = [whole[i::4].count(0) / (len(whole) // 4) for i in range(4)]
    if (zero[0] < 0.1 and min(zero[2:]) > 0.9) or (zero[3] < 0.1 and min(zero[:2]) > 0.9):
        return "UTF-32"
    if max(zero[0], zero[2]) < 0.1 and min(zero[1], zero[3]) > 0.3:
        return "UTF-16 (little endian)"
    if max(zero[1], zero[3]) < 0.1 and min(zero[0], zero[2]) > 0.3:
        return "UTF-16 (big endian)"
    return ""
