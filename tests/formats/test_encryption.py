import gzip
from pathlib import Path

import pysequoia
import pytest
from pysequoia.packet import PacketPile, Tag

from functions.core.encryption import PublicKey
from functions.core.errors import Permanent, Refused
from tests.formats.conversion import FolderStore, deliver


@pytest.fixture(scope="module")
def private() -> pysequoia.Tsk:
    return pysequoia.Tsk.generate("Acme <keys@example.com>")


def armored(private: pysequoia.Tsk, *, subkeys: slice = slice(1, 2), primary: bool = True) -> str:
    """The public key with these of its subkeys; the first that Sequoia makes signs, the second encrypts."""
    groups: list[list[pysequoia.packet.Packet]] = [[]]
    for packet in PacketPile.from_bytes(bytes(private.extract_certificate())):
        if packet.tag == Tag.PublicSubkey:
            groups.append([])
        groups[-1].append(packet)
    chosen = [*(groups[:1] if primary else []), *groups[1:][subkeys]]
    raw = b"".join(bytes(packet) for group in chosen for packet in group)
    return pysequoia.armor(raw, pysequoia.ArmorKind.PublicKey)


@pytest.mark.parametrize(("compression", "name"), [("gzip", "x.csv.gz"), ("zip", "x.csv.zip")])
def test_a_file_is_compressed_then_encrypted(
    private: pysequoia.Tsk, tmp_path: Path, compression: str, name: str
) -> None:
    objects, [written] = deliver(
        {"in.csv": b"a\n1\n"},
        name=name,
        store=FolderStore(tmp_path),
        format="csv",
        compression=compression,
        pgp_public_key=armored(private),
    )
    assert list(objects) == [f"{name}.pgp"]
    assert written.content_type == "application/pgp-encrypted"
    assert written.bytes == len(objects[f"{name}.pgp"])
    decrypted = pysequoia.decrypt(objects[f"{name}.pgp"], decryptor=private.decryptor()).bytes
    assert decrypted is not None
    if compression == "gzip":
        assert gzip.decompress(decrypted) == b"a\n1\n"
    else:
        assert decrypted.startswith(b"PK")


def test_every_file_of_a_split_is_encrypted(private: pysequoia.Tsk, tmp_path: Path) -> None:
    content = b"a\n" + b"x\n" * 60_000
    objects, _ = deliver(
        {"in.csv": content},
        name="x",
        store=FolderStore(tmp_path),
        format="csv",
        split={"rows": 50_000},
        pgp_public_key=armored(private),
    )
    assert list(objects) == ["x/0000001.csv.pgp", "x/0000002.csv.pgp"]


def test_a_primary_key_alone_is_refused(private: pysequoia.Tsk) -> None:
    with pytest.raises(
        Refused, match="the key is a primary key; give a subkey or a keyring with exactly one subkey"
    ):
        PublicKey.parse(armored(private, subkeys=slice(0, 0)))


def test_other_keys_that_cannot_be_used_are_refused(private: pysequoia.Tsk) -> None:
    two = pysequoia.Tsk.generate("b").extract_certificate()
    cases = {
        "holds 2 subkeys": armored(private, subkeys=slice(0, 2)),
        "without the primary key": armored(private, primary=False),
        "nothing can be encrypted to it": armored(private, subkeys=slice(0, 1)),
        "is a private key": str(private),
        "is no OpenPGP public key": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nnonsense",
        "holds several keys": pysequoia.armor(
            bytes(two) + bytes(private.extract_certificate()), pysequoia.ArmorKind.PublicKey
        ),
        "must be text": 1,
    }
    for message, key in cases.items():
        with pytest.raises(Refused, match=message):
            PublicKey.parse(key)


def test_what_cannot_be_encrypted_is_told(private: pysequoia.Tsk, tmp_path: Path) -> None:
    key = PublicKey.parse(armored(private))
    with pytest.raises((Permanent, OSError)):
        key.encrypt_file(str(tmp_path / "absent"), str(tmp_path / "out"))
