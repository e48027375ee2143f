from __future__ import annotations

from jupyter_mlws.worker.environment_record import environment_record


def install(folder, name, version, *, metadata=None):
    place = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    place.mkdir(parents=True)
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" if metadata is None else metadata
    (place / "METADATA").write_text(text)


def test_the_first_on_the_path_counts_and_broken_ones_do_not_matter(tmp_path):
    install(tmp_path / "a", "My.Package", "2.0")
    install(tmp_path / "b", "my-package", "1.0")
    install(tmp_path / "b", "alpha", "3")
    install(tmp_path / "b", "broken", "1", metadata="")
    record = environment_record(
        python="3.11.7", path=[str(tmp_path / "a"), str(tmp_path / "gone"), str(tmp_path / "b")]
    )
    assert record.packages == ["alpha==3", "My.Package==2.0"]
    assert record.python == "3.11.7"


def test_the_hash_is_that_of_what_is_listed(tmp_path):
    install(tmp_path, "alpha", "3")
    one = environment_record(python="3.11.7", path=[str(tmp_path)])
    again = environment_record(python="3.11.7", path=[str(tmp_path)])
    other = environment_record(python="3.12.0", path=[str(tmp_path)])
    assert one.sha256 == again.sha256 != other.sha256
