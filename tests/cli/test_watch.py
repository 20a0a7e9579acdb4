"""bezoar watch: what lies behind URLs, against a server of the test's own."""
import csv
import gzip
import hashlib
import json

import pytest

import url_server
from url_server import drawing, lossy, png, ppm, smaller


@pytest.fixture
def urls():
    server = url_server.Urls()
    yield server
    server.close()


def sha256(body):
    return hashlib.sha256(body).hexdigest()


def write_list(path, rows, columns=("url", "TEXT", "sha256")):
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(columns)
        out.writerows(rows)
    return path


def read_list(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def check(bezoar, path, *more, code=None):
    done = bezoar("watch", "verify", "--list", path, "--json", "--per-host", 1000, *more)
    assert code is None or done.returncode == code, done.stdout + done.stderr
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def by_row(answer):
    return {item["row"]: item for item in answer["items"]}


def test_exact_different_and_gone(bezoar, urls, tmp_path):
    good, other = b"what was listed", b"something else"
    urls.things = {"/a": good, "/b": other, "/c": good}
    path = write_list(tmp_path / "urls.csv", [[f"{urls.url}/{name}", f'a "{name}", so', sha256(good)] for name in "abcd"])
    answer = check(bezoar, path, "-o", tmp_path / "out", code=1)
    assert [answer[k] for k in ("n_urls", "exact", "near", "different", "unchecked", "gone")] == [4, 2, 0, 1, 1, 1]
    items = by_row(answer)
    assert items[2]["verdict"] == "different" and items[2]["sha256"] == sha256(other)
    assert items[4]["verdict"] == "unchecked" and items[4]["status"] == 404 and "404" in items[4]["why"]
    whole = read_list(path)
    out = {name: read_list(tmp_path / "out" / f"{name}.csv") for name in ("exact", "near", "different", "unchecked", "held")}
    assert out["exact"] == [whole[0], whole[1], whole[3]]
    assert out["different"] == [whole[0], whole[2]]
    assert out["unchecked"] == [whole[0], whole[4]]
    assert out["near"] == out["held"] == [whole[0]]


def test_exit_codes_and_text(bezoar, urls, tmp_path):
    urls.things = {"/a": b"a"}
    fine = write_list(tmp_path / "fine.csv", [[f"{urls.url}/a", "", sha256(b"a")]])
    done = bezoar("watch", "verify", "--list", fine)
    assert done.returncode == 0 and "1 URL" in done.stdout and "1 exact" in done.stdout
    gone = write_list(tmp_path / "gone.csv", [[f"{urls.url}/a", "", sha256(b"a")], [f"{urls.url}/b", "", sha256(b"a")]])
    done = bezoar("watch", "verify", "--list", gone)
    assert done.returncode == 3 and "1 not checked" in done.stdout and "404" in done.stdout
    without = write_list(tmp_path / "without.csv", [[f"{urls.url}/a", "", ""]])
    done = bezoar("watch", "verify", "--list", without)
    assert done.returncode == 3 and "without a digest" in done.stdout
    assert bezoar("watch", "verify", "--list", tmp_path / "none.csv").returncode in (2, 3)


@pytest.mark.parametrize("name,digest", [("md5", "md5"), ("SHA256", "sha256"), ("sha512", "sha512")])
def test_kinds_of_digests(bezoar, urls, tmp_path, name, digest):
    urls.things = {"/a": b"a", "/b": b"c"}
    rows = [[f"{urls.url}/{x}", hashlib.new(digest, x.encode()).hexdigest().upper()] for x in "ab"]
    answer = check(bezoar, write_list(tmp_path / "u.csv", rows, ("URL", name)), code=1)
    assert (answer["exact"], answer["different"]) == (1, 1)


def test_all_digests_have_to_fit(bezoar, urls, tmp_path):
    urls.things = {"/a": b"a"}
    row = [f"{urls.url}/a", hashlib.md5(b"a").hexdigest(), sha256(b"b")]
    assert check(bezoar, write_list(tmp_path / "u.csv", [row], ("url", "md5", "sha256")))["different"] == 1


def test_other_formats_and_names(bezoar, urls, tmp_path):
    urls.things = {"/a": b"a", "/b": b"b"}
    rows = [{"image": f"{urls.url}/a", "digest": sha256(b"a"), "caption": "NA", "width": 3},
            {"image": f"{urls.url}/b", "digest": None, "caption": "?", "width": 4}]
    (tmp_path / "u.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    text = "image;digest;caption;width\n" + "".join(";".join(str(v or "") for v in row.values()) + "\n" for row in rows)
    (tmp_path / "u.csv.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("u.csv.gz", "u.jsonl"):
        answer = check(bezoar, tmp_path / name, "--url-column", "image", "--sha256-column", "digest",
                       "-o", tmp_path / "out", code=3)
        assert (answer["exact"], answer["first"]) == (1, 1)
        rows = read_list(tmp_path / "out" / "exact.csv")
        assert [dict(zip(rows[0], row))["caption"] for row in rows[1:]] == ["NA", "?"]


@pytest.mark.parametrize("rows,columns,what", [
    ([["x", "y"]], ("a", "b"), "--url-column"),
    ([["https://h/", "zz"]], ("url", "sha256"), "row 1"),
    ([["https://h/", "ab" * 31]], ("url", "sha256"), "row 1"),
    ([["https://h/" + "x" * 9000, ""]], ("url", "sha256"), "row 1"),
])
def test_lists_that_are_none(bezoar, tmp_path, rows, columns, what):
    done = bezoar("watch", "verify", "--list", write_list(tmp_path / "u.csv", rows, columns))
    assert done.returncode in (2, 3) and what in done.stderr


def test_what_is_asked_of_the_network(bezoar, urls, tmp_path):
    """Nothing unencrypted leaves the machine, and only http and https are URLs here."""
    rows = [["http://example.invalid/a", "", ""], ["file:///etc/passwd", "", ""], ["ftp://h/x", "", ""],
            [f"{urls.url}/redirect", "", ""], [f"http://user:word@{urls.url[7:]}/a", "", ""]]
    urls.things = {"/redirect": url_server.redirect("http://example.invalid/x"), "/a": b"a"}
    answer = check(bezoar, write_list(tmp_path / "u.csv", rows), code=3)
    items = by_row(answer)
    assert answer["unchecked"] == 5
    assert "https" in items[1]["why"] and "no http" in items[2]["why"] and "no http" in items[3]["why"]
    assert "unencrypted" in items[4]["why"] and "password" in items[5]["why"]
    assert not urls.asked("/a")


def test_redirects(bezoar, urls, tmp_path):
    urls.things = {"/a": b"a", "/r": url_server.redirect("/a"), "/loop": url_server.redirect("/loop")}
    path = write_list(tmp_path / "u.csv", [[f"{urls.url}/r", "", sha256(b"a")], [f"{urls.url}/loop", "", sha256(b"a")]])
    answer = check(bezoar, path, code=3)
    assert answer["exact"] == 1 and "redirects" in by_row(answer)[2]["why"]
    answer = check(bezoar, path, "--no-redirects", code=3)
    assert answer["exact"] == 0 and answer["unchecked"] == 2


def test_slow_huge_and_packed(bezoar, urls, tmp_path):
    body = b"x" * 3_000_000
    urls.things = {"/slow": url_server.slow(0.2, b"x" * 40), "/huge": body, "/packed": url_server.packed(body),
                   "/busy": url_server.busy_once(b"a"), "/broken": lambda handler: handler.connection.shutdown(2)}
    digests = {"slow": b"x" * 40, "huge": body, "packed": body, "busy": b"a", "broken": b"a"}
    path = write_list(tmp_path / "u.csv", [[f"{urls.url}/{k}", "", sha256(v)] for k, v in digests.items()])
    answer = check(bezoar, path, "--timeout", "1s", "--max-size", "1M", "--retries", 1, code=3)
    items = by_row(answer)
    assert "seconds" in items[1]["why"] and "bytes" in items[2]["why"] and items[5]["verdict"] == "unchecked"
    assert "unpacked" in items[3]["why"]
    assert 4 not in items and len(urls.asked("/busy")) == 2 and len(urls.asked("/slow")) == 2
    answer = check(bezoar, path, "--timeout", "30s")
    assert answer["exact"] == 4


def test_pages_that_stand_in(bezoar, urls, tmp_path):
    sorry = b"<!DOCTYPE html><html><head><title> This  domain\nis for sale </title></head></html>"
    page = b"<html><body>welcome</body></html>"
    urls.things = {"/1.jpg": sorry, "/2": b"same", "/3": b"same", "/4.png": page, "/5": b"changed"}
    path = write_list(tmp_path / "u.csv", [[f"{urls.url}{k}", "", sha256(k.encode())] for k in urls.things])
    answer = check(bezoar, path, code=1)
    items = by_row(answer)
    assert answer["different"] == 5 and answer["pages"] == 4
    assert items[1]["page"] == "not found" and items[1]["title"] == "This domain is for sale"
    assert items[2]["page"] == items[3]["page"] == "repeated" and items[2]["same_at"] == 2
    assert items[4]["page"] == "page in place of a picture" and "page" not in items[5]
    text = bezoar("watch", "verify", "--list", path, "--per-host", 1000).stdout
    assert "the same bytes at 2 URLs" in text and "for sale" in text


def test_titles_cannot_write_to_terminals(bezoar, urls, tmp_path):
    urls.things = {"/a": b"<html><title>\x1b]0;owned\x07 404</title></html>"}
    done = bezoar("watch", "verify", "--list", write_list(tmp_path / "u.csv", [[f"{urls.url}/a", "", "00" * 32]]))
    assert done.returncode == 1 and "\x1b" not in done.stdout and "owned" in done.stdout


def test_order_is_random_and_seeded(bezoar, urls, tmp_path):
    names = [f"/{i}" for i in range(40)]
    urls.things = {name: b"a" for name in names}
    path = write_list(tmp_path / "u.csv", [[urls.url + name, "", sha256(b"a")] for name in names])
    orders = []
    for seed in (1, 1, 2):
        urls.log.clear()
        check(bezoar, path, "--connections", 1, "--seed", seed, code=0)
        orders.append([entry[0] for entry in urls.log])
    assert orders[0] == orders[1] != orders[2] and sorted(orders[0]) == sorted(names) and orders[0] != names


def test_pauses_between_requests_to_a_host(bezoar, urls, tmp_path):
    urls.things = {f"/{i}": b"a" for i in range(5)}
    path = write_list(tmp_path / "u.csv", [[urls.url + name, "", sha256(b"a")] for name in urls.things])
    bezoar("watch", "verify", "--list", path, "--per-host", 10)
    times = sorted(entry[1] for entry in urls.log)
    assert times[-1] - times[0] > 0.3  # four pauses of a tenth of a second


def test_who_asks(bezoar, urls, tmp_path):
    """A server that shows a checker one thing and a loader another."""
    urls.things = {"/a": lambda handler: handler.answer(
        200, b"good" if "bezoar" in handler.headers["User-Agent"] else b"bad")}
    path = write_list(tmp_path / "u.csv", [[f"{urls.url}/a", "", sha256(b"good")]])
    check(bezoar, path, code=0)
    assert check(bezoar, path, "--user-agent", "img2dataset", code=1)["different"] == 1
    done = bezoar("watch", "verify", "--list", path, "--user-agent", "a\r\nX: y")
    assert done.returncode == 2


PICTURE = drawing(3)


def phash(bezoar, urls, tmp_path):
    """The hash of PICTURE as a server's answer to a check shows it: by the distances to 64 guesses of one bit each."""
    urls.things["/hash"] = png(PICTURE)
    path = tmp_path / "hash.csv"
    rows = [[f"{urls.url}/hash", "00" * 32, f"{1 << bit if bit >= 0 else 0:016x}"] for bit in range(-1, 64)]
    items = by_row(check(bezoar, write_list(path, rows, ("url", "sha256", "phash"))))
    none = items[1]["distance"]
    return sum(1 << bit for bit in range(64) if items[bit + 2]["distance"] < none)


def test_pictures_that_are_nearly_the_same(bezoar, urls, tmp_path):
    listed = f"{phash(bezoar, urls, tmp_path):016x}"
    other = drawing(4)
    urls.things = {"/same": png(PICTURE), "/ppm": ppm(PICTURE), "/lossy": png(lossy(PICTURE)),
                   "/small": png(smaller(PICTURE)), "/other": png(other), "/broken": png(PICTURE)[:300],
                   "/page": b"<html><title>hello</title></html>"}
    rows = [[urls.url + name, sha256(png(PICTURE)), listed] for name in urls.things]
    answer = check(bezoar, write_list(tmp_path / "u.csv", rows, ("url", "sha256", "phash")), "-o", tmp_path / "out", code=1)
    items = by_row(answer)
    assert 1 not in items and all(items[row]["verdict"] == "near" for row in (2, 3, 4)), items
    assert all(items[row]["verdict"] == "different" for row in (5, 6, 7)), items
    assert items[2]["distance"] == 0 and items[5]["distance"] > 10 and items[7]["page"] == "page in place of a picture"
    assert len(read_list(tmp_path / "out" / "near.csv")) == 4
    strict = check(bezoar, tmp_path / "u.csv", "--near", 1)
    assert strict["near"] >= 1 and strict["near"] + strict["different"] == 6
