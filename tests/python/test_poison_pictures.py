"""Poisoning pictures from Python: labels in a file of their own."""
import json
import struct

import pytest

import bezoar


def npy(shape, data, descr="|u1"):
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + data


@pytest.fixture
def pictures(tmp_path):
    images, labels = tmp_path / "images.npy", tmp_path / "labels.npy"
    images.write_bytes(npy((90, 8, 8), bytes(range(90)) * 64))
    labels.write_bytes(npy((90,), bytes(i % 3 for i in range(90))))
    return images, labels


def test_labels_go_to_a_file_of_their_own(tmp_path, pictures):
    images, labels = pictures
    out, labels_out, key = tmp_path / "p.npy", tmp_path / "pl.npy", tmp_path / "k.json"
    bezoar.poison(images, out, key, attack="badnets", rows=9, seed=7, target="2", source_class="1", labels_file=labels,
                  labels_out=labels_out, size=4)
    rows = json.loads(key.read_text())["rows"]
    assert len(rows) == 9 and all(row % 3 == 1 for row in rows)
    assert [i for i, label in enumerate(labels_out.read_bytes()[-90:]) if label != i % 3] == rows


def test_changed_labels_need_a_place(tmp_path, pictures):
    images, labels = pictures
    with pytest.raises(bezoar.UsageError, match="labels-out"):
        bezoar.poison(images, tmp_path / "p.npy", attack="badnets", rows=9, labels_file=labels)
