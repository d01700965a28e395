"""Python's own HTTP client by way of weir. Prints what it saw as one JSON object."""

import hashlib
import http.client
import json
import os
import ssl
import urllib.parse
import urllib.request

proxy = urllib.parse.urlsplit(os.environ["HTTP_PROXY"])
plain = urllib.parse.urlsplit(os.environ["ORIGIN_HTTP"])
secure = urllib.parse.urlsplit(os.environ["ORIGIN_HTTPS"])
content = b"piece of an upload\n" * 1000

# As strict as Python 3.13 is by default: key identifiers have to be there and right.
context = ssl.create_default_context()  # SSL_CERT_FILE says whom to trust
context.verify_flags |= ssl.VERIFY_X509_STRICT


def digest(data):
    return hashlib.sha256(data).hexdigest()


def fetched(base):
    """A request by urllib, which takes its proxy from the environment."""
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
    with opener.open(base + "/bytes/10000", timeout=30) as answer:
        return digest(answer.read())


def tunnel():
    conn = http.client.HTTPSConnection(proxy.hostname, proxy.port, timeout=30, context=context)
    conn.set_tunnel(secure.hostname, secure.port)
    return conn


def kept_alive(conn, prefix):
    """Three requests of three methods on one connection."""
    seen, socket = [], None
    for method in ("GET", "HEAD", "POST"):
        conn.request(method, prefix + ("/upload" if method == "POST" else "/bytes/100"), body=content if method == "POST" else None)
        answer = conn.getresponse()
        seen.append("%d %s" % (len(answer.read()), answer.headers["Content-Length"]))
        if socket not in (None, conn.sock):
            seen.append("another connection")
        socket = conn.sock
    conn.close()
    return "|".join(seen)


def chunked():
    """An upload of unknown length."""
    conn = tunnel()
    conn.request("POST", "/upload", body=(content[i : i + 999] for i in range(0, len(content), 999)), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    return conn.getresponse().read().decode()


def streamed():
    """Pieces of a response, each confirmed before the server sends the next."""
    conn, pieces = tunnel(), []
    conn.request("GET", "/live/stream")
    answer = conn.getresponse()
    while piece := answer.read1():
        pieces.append(piece.decode())
        ack = tunnel()
        ack.request("POST", "/live/ack/stream")
        ack.getresponse().read()
    return "|".join(pieces)


def by_requests():
    """The same by the library that most people use, where it is installed."""
    try:
        import requests
    except ImportError:
        return None
    return digest(requests.get(secure.geturl() + "/bytes/10000", timeout=30, verify=os.environ["SSL_CERT_FILE"]).content)


print(json.dumps({
    "http": fetched(plain.geturl()),
    "https": fetched(secure.geturl()),
    "keep-alive": kept_alive(http.client.HTTPConnection(proxy.hostname, proxy.port, timeout=30), plain.geturl()),
    "keep-alive in a tunnel": kept_alive(tunnel(), ""),
    "upload": chunked(),
    "stream": streamed(),
    "library": by_requests(),
}))
