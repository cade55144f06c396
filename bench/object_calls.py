"""What S3 does beside taking and giving objects: uploads in pieces, lists, removals of many.

Objects are files, `<bucket>/<key>` in a folder; the pieces of an upload are put into another by nginx.
"""

import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

_NOT_FOUND = 404
_TIME = "2026-03-08T14:30:00.000Z"


class Objects:
    """The buckets below `objects`; `pieces` holds uploads that are not complete."""

    def __init__(self, objects: Path, pieces: Path) -> None:
        self._objects = objects
        self._pieces = pieces

    def answer(self, method: str, path: str, query: str, body: bytes) -> tuple[int, str]:
        """The status, and the XML."""
        bucket, _, key = unquote(path).lstrip("/").partition("/")
        asked = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
        if method == "POST":
            return 200, self._post(bucket, key, asked, body.decode())
        if method == "GET":
            return 200, self._list(bucket, asked)
        if method == "DELETE":
            shutil.rmtree(self._pieces / asked["uploadId"], ignore_errors=True)
            return 204, ""
        there = (self._objects / bucket).is_dir()
        return (200, "") if there else (_NOT_FOUND, "<Error><Code>NoSuchBucket</Code></Error>")

    def _post(self, bucket: str, key: str, asked: dict[str, str], body: str) -> str:
        if "uploads" in asked:
            return self._begin(bucket, key)
        if "uploadId" in asked:
            return self._complete(bucket, key, asked["uploadId"], body)
        return self._delete(bucket, body)

    def _begin(self, bucket: str, key: str) -> str:
        upload = secrets.token_hex(16)
        (self._pieces / upload).mkdir()
        texts = f"<Bucket>{bucket}</Bucket><Key>{escape(key)}</Key><UploadId>{upload}</UploadId>"
        return f"<InitiateMultipartUploadResult>{texts}</InitiateMultipartUploadResult>"

    def _complete(self, bucket: str, key: str, upload: str, body: str) -> str:
        target = self._objects / bucket / key
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = self._pieces / upload
        with target.open("wb") as whole:
            for number in re.findall(r"<PartNumber>(\d+)</PartNumber>", body):
                piece = folder / number
                with piece.open("rb") as data:
                    shutil.copyfileobj(data, whole, 1024 * 1024)
                piece.unlink()
        folder.rmdir()
        texts = f"<Bucket>{bucket}</Bucket><Key>{escape(key)}</Key><ETag>{_etag(target)}</ETag>"
        return f"<CompleteMultipartUploadResult>{texts}</CompleteMultipartUploadResult>"

    def _delete(self, bucket: str, body: str) -> str:
        for key in re.findall(r"<Key>(.*?)</Key>", body):
            (self._objects / bucket / key).unlink(missing_ok=True)
        return "<DeleteResult></DeleteResult>"

    def _list(self, bucket: str, asked: dict[str, str]) -> str:
        prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
        contents: list[str] = []
        folders: dict[str, None] = {}
        for key, path in self._files(bucket):
            if not key.startswith(prefix):
                continue
            rest = key.removeprefix(prefix)
            if delimiter and delimiter in rest:
                folders[prefix + rest.partition(delimiter)[0] + delimiter] = None
                continue
            facts = f"<LastModified>{_TIME}</LastModified><ETag>{_etag(path)}</ETag>"
            facts += f"<Size>{path.stat().st_size}</Size>"
            contents.append(f"<Contents><Key>{escape(key)}</Key>{facts}</Contents>")
        common = [f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in folders]
        head = f"<Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><IsTruncated>false</IsTruncated>"
        count = f"<KeyCount>{len(contents) + len(common)}</KeyCount>"
        return f"<ListBucketResult>{head}{count}{''.join(contents + common)}</ListBucketResult>"

    def _files(self, bucket: str) -> Iterator[tuple[str, Path]]:
        folder = self._objects / bucket
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield path.relative_to(folder).as_posix(), path


def _etag(path: Path) -> str:
    """As nginx has it, which is asked for the same object with `If-Match`."""
    facts = path.stat()
    return f'"{int(facts.st_mtime):x}-{facts.st_size:x}"'
