"""Word, Excel and PowerPoint files (Office Open XML, ISO 29500), told by the list of contents that a zip file has at its end. Pure; nothing is
ever unpacked.

A list of the parts that are let in, by the names that the standard's producers give them: text, styles, sheets, slides, charts, pictures,
sound, fonts. Whatever has another name makes the whole file one that is not let in; so nobody has to know macros, controls, add-ins,
links to other data, or files within the file.
"""

import re
import struct
import zipfile
from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple

TYPES = "application/vnd.openxmlformats-officedocument."

MAX_ENTRIES = 5_000
MAX_DIRECTORY_BYTES = 1 << 20
"""Of the list of contents, which is all that is read."""
MAX_UNPACKED_BYTES = 256 << 20
MAX_RATIO = 100
"""Of a part's size to its packed size; sheets with the same in every row have 30."""
RATIO_FROM_BYTES = 1 << 20
"""A smaller part is no burden, however well it is packed."""
_END = struct.Struct("<4s4H2LH")
_ENCRYPTED = 0x1

_EVERYWHERE = (
    r"\[Content_Types\]\.xml",
    r"(\w+/){0,3}_rels/[\w.]*\.rels",
    r"docProps/(\w+\.xml|thumbnail\.(jpe?g|png|[ew]mf))",
    r"docMetadata/LabelInfo\.xml",
    r"customXml/item(Props)?\d*\.xml",
    r"_xmlsignatures/(origin\.sigs|sig\d+\.xml)",
)
_MEDIA = r"media/[^/\\:]+\.(png|jpe?g|gif|bmp|tiff?|[ew]mf|svg|wdp|mp3|m4a|wav|wma|mp4|m4v|mov|avi|wmv)"
_BESIDE = (
    _MEDIA,
    r"fonts/[\w -]+\.(odttf|fntdata|ttf)",
    r"printerSettings/printerSettings\d+\.bin",
    r"drawings/\w+\.vml",
)
"""What is no XML, below the folder of each of the three."""


class _Application(NamedTuple):
    folder: str
    kind: str
    #: The part that there is one of; then others beside it, and folders with parts, each a pattern of names.
    main: str
    parts: str
    folders: str

    @property
    def allowed(self) -> re.Pattern[str]:
        xml = rf"({self.main}|{self.parts}|({self.folders})/\w+)\.xml"
        own = "|".join((xml, *_BESIDE))
        return re.compile("|".join((*_EVERYWHERE, rf"{self.folder}/({own})")), re.IGNORECASE)


_APPLICATIONS = (
    _Application(
        "word",
        f"{TYPES}wordprocessingml.document",
        r"document\d*",
        r"styles(WithEffects)?|(web)?Settings|fontTable|numbering|footnotes|endnotes|comments\w*|people|(header|footer)\d*",
        r"theme|charts|drawings|diagrams|glossary|ink",
    ),
    _Application(
        "xl",
        f"{TYPES}spreadsheetml.sheet",
        r"workbook\d*",
        r"styles|sharedStrings|calcChain|metadata|comments\d*",
        r"worksheets|chartsheets|theme|drawings|charts|diagrams|tables|comments|threadedComments|persons|pivotTables|pivotCache"
        r"|slicers|slicerCaches|timelines|timelineCaches|richData|namedSheetViews|ink",
    ),
    _Application(
        "ppt",
        f"{TYPES}presentationml.presentation",
        r"presentation\d*",
        r"presProps|viewProps|tableStyles|commentAuthors|authors|revisionInfo",
        r"slides|slideLayouts|slideMasters|notesSlides|notesMasters|handoutMasters|theme|drawings|charts|diagrams|comments|tags"
        r"|changesInfos|ink",
    ),
)
_ALLOWED = {each.folder: each.allowed for each in _APPLICATIONS}
_FOLDER = re.compile(r"(\w+/)+", re.ASCII)


def office_type(content: bytes) -> str | None:
    """IANA's name of the type; None for everything else that a zip file may be."""
    entries = _entries(content)
    names = [each.orig_filename for each in entries]
    if "[Content_Types].xml" not in names or not _is_plain(entries, len(content)):
        return None
    for each in _APPLICATIONS:
        main = re.compile(rf"{each.folder}/{each.main}\.xml", re.IGNORECASE)
        if any(main.fullmatch(name) for name in names):
            return each.kind if all(_may_be(_ALLOWED[each.folder], part) for part in entries) else None
    return None


def _may_be(allowed: re.Pattern[str], part: zipfile.ZipInfo) -> bool:
    name = part.orig_filename
    return allowed.fullmatch(name) is not None or (not part.file_size and _FOLDER.fullmatch(name) is not None)


def _is_plain(entries: Sequence[zipfile.ZipInfo], size: int) -> bool:
    """Each part under a name of its own, of a size that a reader can bear, none encrypted, and no two out of the same bytes."""
    return (
        len({each.orig_filename.lower() for each in entries}) == len(entries)
        and all(each.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for each in entries)
        and not any(each.flag_bits & _ENCRYPTED for each in entries)
        and sum(each.compress_size for each in entries) <= size
        and sum(each.file_size for each in entries) <= MAX_UNPACKED_BYTES
        and not any(_is_bomb(each) for each in entries)
    )


def _is_bomb(part: zipfile.ZipInfo) -> bool:
    return part.file_size >= RATIO_FROM_BYTES and part.file_size > MAX_RATIO * part.compress_size


def _entries(content: bytes) -> list[zipfile.ZipInfo]:
    """Empty for what is no plain zip file with a list of contents of an ordinary size."""
    at = content.rfind(b"PK\x05\x06", -(_END.size + 0xFFFF))
    if at < 0 or len(content) - at < _END.size or content[max(at - 20, 0) : at].startswith(b"PK\x06\x07"):
        return []
    _, _, _, _, entries, size, _, _ = _END.unpack_from(content, at)
    if entries > MAX_ENTRIES or size > MAX_DIRECTORY_BYTES:
        return []
    try:
        return zipfile.ZipFile(BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, UnicodeError):
        return []
