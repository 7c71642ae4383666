"""The beginnings of files of every kind that customers send, and of those that nobody takes."""

import struct
import zipfile
from io import BytesIO

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(100)
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(50)
WEBP = b"RIFF\x20\x00\x00\x00WEBPVP8 " + bytes(40)
OPUS = b"OggS\x00\x02" + bytes(22) + b"OpusHead" + bytes(40)
MP3_FRAME = b"\xff\xfb\x90\x64" + bytes(413)
"""128 kbit/s at 44,100 Hz."""
AAC_FRAME = b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9)
"""Of 16 bytes, as its header says."""
PDF = b"%PDF-1.7\n" + bytes(40)


def zipped(*names: str, content: str = "x", comment: bytes = b"") -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
        archive.comment = comment
    return made.getvalue()


MAIN = {"word": "document.xml", "xl": "workbook.xml", "ppt": "presentation.xml"}


def office(folder: str, *more: str, content: str = "x") -> bytes:
    return zipped("[Content_Types].xml", "_rels/.rels", f"{folder}/{MAIN[folder]}", *more, content=content)


def declared(archive: bytes, **fields: int) -> bytes:
    """The zip file with other numbers in its list of contents, for each part: flag_bits, compress_size or file_size."""
    places = {"flag_bits": (8, "<H"), "compress_size": (20, "<L"), "file_size": (24, "<L")}
    made = bytearray(archive)
    at = archive.find(b"PK\x01\x02")
    while at >= 0:
        for name, value in fields.items():
            offset, form = places[name]
            struct.pack_into(form, made, at + offset, value)
        at = archive.find(b"PK\x01\x02", at + 4)
    return bytes(made)


def tagged(content: bytes, *, version: int = 3, flags: int = 0, length: bytes = b"\0\0\0\x0a") -> bytes:
    """With an ID3 tag of ten bytes before it."""
    return b"ID3" + bytes((version, 0, flags)) + length + bytes(10) + content


def boxed(brand: bytes) -> bytes:
    """The beginning of a file in the ISO base media format."""
    return struct.pack(">I", 24) + b"ftyp" + brand + bytes(4) + brand + b"isom" + bytes(40)


OFFICE = "application/vnd.openxmlformats-officedocument."
LET_IN = {
    "image/jpeg": JPEG,
    "image/png": PNG,
    "image/gif": b"GIF89a" + bytes(20),
    "image/webp": WEBP,
    "image/heic": boxed(b"heic"),
    "image/avif": boxed(b"avif"),
    "audio/ogg": OPUS,
    "audio/flac": b"fLaC" + bytes(40),
    "audio/amr": b"#!AMR\n" + bytes(40),
    "audio/wav": b"RIFF\x20\x00\x00\x00WAVEfmt " + bytes(40),
    "audio/mp4": boxed(b"M4A "),
    "audio/aac": AAC_FRAME * 2,
    "audio/mpeg": tagged(MP3_FRAME * 2),
    "video/mp4": boxed(b"isom"),
    "video/quicktime": boxed(b"qt  "),
    "video/3gpp": boxed(b"3gp5"),
    "video/webm": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"
    + bytes(40),
    "application/pdf": PDF,
    f"{OFFICE}wordprocessingml.document": office("word"),
    f"{OFFICE}spreadsheetml.sheet": office("xl"),
    f"{OFFICE}presentationml.presentation": office("ppt"),
}
KEPT_OUT = {
    "nothing": b"",
    "a program for Windows": b"MZ\x90\x00" + bytes(60),
    "a program for Linux": b"\x7fELF\x02" + bytes(60),
    "a program for macOS": b"\xcf\xfa\xed\xfe" + bytes(60),
    "a shell script": b"#!/bin/sh\nrm -rf /\n",
    "a batch file": b"@echo off\r\nformat c:\r\n",
    "a script in plain text": b"import os\nos.remove('x')\n",
    "a web page": b"<!doctype html><script>alert(1)</script>",
    "an SVG": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "a zip": zipped("a.txt"),
    "a zip in a zip": zipped("inner.zip"),
    "a bomb": zipped("zeros", content="0" * 1_000_000),
    "a Java archive": zipped("META-INF/MANIFEST.MF", "A.class"),
    "an Android app": zipped("AndroidManifest.xml", "classes.dex"),
    "a document with macros": office("word", "word/vbaProject.bin"),
    "a sheet with a control": office("xl", "xl/activeX/activeX1.xml"),
    "a slide with a file in it": office("ppt", "ppt/embeddings/oleObject1.bin"),
    "a document of a thousand files": office("word", *(f"word/{number}" for number in range(6_000))),
    "a document with a program in it": office("word", "payload.exe"),
    "a document with a program among its pictures": office("word", "word/media/image1.exe"),
    "a document with a script": office("word", "word/evil.js"),
    "a document with a web page": office("word", "word/afchunk.mht"),
    "a document with an add-in": office("word", "word/webextensions/webextension1.xml"),
    "a document with a menu of its own": office("word", "customUI/customUI.xml"),
    "a document with parts of a sheet": office("word", "xl/worksheets/sheet1.xml"),
    "a sheet of old macros": office("xl", "xl/macrosheets/sheet1.xml"),
    "a sheet that asks others for data": office("xl", "xl/connections.xml"),
    "a part outside of its folder": office("word", "word/../../document.xml"),
    "an app with a document's list": zipped("[Content_Types].xml", "word/x", "classes.dex"),
    "a document without a text": zipped("[Content_Types].xml", "_rels/.rels", "word/styles.xml"),
    "a name that ends early": office("word", "word/media/image1.png#.exe").replace(b"#", b"\0"),
    "a folder that holds something": office("word", "word/hidden/"),
    "a document that swells": office("word", content="0" * 4_000_000),
    "a document of 300 MB": declared(office("word"), file_size=100 << 20, compress_size=9),
    "a document of the same bytes again and again": declared(office("word"), compress_size=400),
    "an encrypted document": declared(office("word"), flag_bits=1),
    "half a document": office("word")[:80],
    "an old document": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(60),
    "gzip": b"\x1f\x8b\x08" + bytes(60),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(60),
    "rar": b"Rar!\x1a\x07\x00" + bytes(60),
    "tar": bytes(257) + b"ustar" + bytes(60),
    "RTF": b"{\\rtf1 hello}",
    "plain text": b"hello there",
    "Ogg of something else": b"OggS\x00\x02" + bytes(22) + b"theora?" + bytes(40),
    "a Matroska film": b"\x1aE\xdf\xa3\x9fB\x82\x88matroska" + bytes(40),
    "a tag and a program": tagged(b"MZ\x90\x00" + bytes(60)),
    "a tag that is none": b"ID3MZ\x90\x00" + bytes(60),
    "a tag of an unknown version": tagged(MP3_FRAME * 2, version=5),
    "a tag with flags that there are not": tagged(MP3_FRAME * 2, flags=1),
    "a tag of a length that there is not": tagged(MP3_FRAME * 2, length=b"\0\0\0\x8a"),
    "a tag that is longer than the file": tagged(MP3_FRAME * 2, length=b"\0\0\x7f\x0a"),
    "one frame and a program": MP3_FRAME + b"MZ\x90\x00" + bytes(60),
    "one frame of AAC and a program": AAC_FRAME + b"MZ\x90\x00" + bytes(60),
    "a frame of AAC of no length": b"\xff\xf1\x50\x80" + bytes(40),
    "a broken frame": b"\xff\xfb\xf0\x00" + bytes(40),
}
