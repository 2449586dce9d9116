"""Makes the seeds of every fuzz target: bytes in files, from text.

Usage: seeds.py TESTS OUT

TESTS/fuzz/seeds/<target>.txt and TESTS/fuzz/regressions/<target>.txt hold one input a line: words
of hexadecimal digits, and "text" in double quotes; '#' starts a comment. The rest is made from
TESTS/vectors, wrapped into the script that the target reads (the head of fuzz_<target>.c).
"""
import os
import re
import struct
import sys
import urllib.parse

TESTS, OUT = sys.argv[1:3]


def lines(*path):
    name = os.path.join(TESTS, *path)
    if not os.path.exists(name):
        return
    with open(name, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.lstrip().startswith("#"):
                yield line.rstrip("\n")


def literal(line):
    """A line of a seed file as bytes."""
    out = b""
    for text, word in re.findall(r'"([^"]*)"|([^\s"#]+|#.*)', line):
        if word.startswith("#"):
            break
        out += text.encode() if not word else bytes.fromhex(word)
    return out


def vector_hex(text):
    """Hex of tests/vectors/mqtt: XX*N is N times the byte."""
    out = b""
    for byte, times in re.findall(r"([0-9a-fA-F]{2})(?:\*(\d+))?", text):
        out += bytes([int(byte, 16)]) * int(times or 1)
    return out


def mqtt_vectors():
    for name in ("connack", "publish", "acks", "framing", "properties"):
        for line in lines("vectors", "mqtt", name + ".txt"):
            fields = [field.strip() for field in line.split("|")]
            yield fields[1] == "5", fields[2].split(), vector_hex(fields[3])


def mqtt_packets():
    """The first packet of each vector, without its length."""
    for is_v5, _, stream in mqtt_vectors():
        body = 1
        while body < len(stream) and stream[body] & 0x80:
            body += 1
        if len(stream) > body:
            yield bytes([is_v5 | 8]) + stream[:1] + stream[body + 1:]


def serve(stream):
    out = b""
    for at in range(0, len(stream), 255):
        part = stream[at:at + 255]
        out += bytes([0, len(part)]) + part
    return out


def mqtt_sessions():
    words = {"keep": b"", "dial": b"", "sub": b"\x04\x00", "unsub": b"\x05\x00", "pub0": b"\x03\x00\x02hi",
             "pub1": b"\x03\x01\x02hi", "pub2": b"\x03\x02\x02hi", "ping": b"\x06\x75\x30",
             "resume": b"\x07\x00"}
    for is_v5, setup, stream in mqtt_vectors():
        script = bytes([is_v5 | 6])
        for word in setup:
            if word == "open":
                script += serve(b"\x20\x03\0\0\0" if is_v5 else b"\x20\x02\0\0")
            elif word.startswith("feed:"):
                script += serve(bytes.fromhex(word[5:]))
            else:
                script += words[word]
        yield script + serve(stream)


def frames(kind):
    for line in lines("vectors", "link", "frames.txt"):
        fields = line.split()
        if fields[0] == kind:
            yield bytes.fromhex(fields[2])


def link_slave():
    everything = b"\x02"
    for frame in frames("order"):
        script = b"\x00" + bytes([len(frame)]) + frame + b"\x04\x01\xf4"
        yield b"\x02" + b"\x02\x00\x01\x28\x00" + script
        everything += script
    yield everything


def link_master():
    for lease in (b"\x20", b"\x21"):  # odd: events are pulled late
        first = lease + b"\x18"  # four exchanges with the honest chip
        everything = first
        for frame in frames("status"):
            script = b"\x0a" + frame[:24] + b"\x05\x7f" + b"\x01" + bytes([len(frame)]) + frame
            yield first + b"\x13\x28\x18" + script + b"\x18\x04\x04\xf8"
            everything += script
        yield everything + b"\xf8"


def images():
    for name in ("images.txt", "grants.txt"):
        for line in lines("vectors", "store", name):
            fields = line.split()
            if fields[1] != "-":
                yield bytes.fromhex(fields[1])
    for line in lines("vectors", "store", "words.txt"):
        fields = line.split()
        if len(fields) > 2:
            yield fields[2].encode()


def sntp():
    for line in lines("vectors", "clock", "sntp.txt"):
        fields = line.split()
        packet = b"" if fields[5] == "-" else bytes.fromhex(fields[5])
        nonce, floor = int(fields[1], 16), int(fields[2])
        yield struct.pack(">BQQ", 1, floor << 24, nonce) + packet
        if len(packet) == 48:
            yield b"\x00" + b"\x00" + struct.pack(">Q", nonce or 1) + b"\x01\x04\x14\x03" + packet


def commands():
    for line in lines("vectors", "node", "commands.txt"):
        topic, payload, flags = line.split()[:3]
        topic = topic[1:] if topic[0] == "=" else "irrigation/garden/" + topic
        payload = b"" if payload == "-" else urllib.parse.unquote_to_bytes(payload)
        flags = flags.split(",")
        bits = sum(bit for bit, name in ((1, "retain"), (2, "dup"), (4, "expired"), (12, "expiry"),
                                         (16, "cut")) if name in flags)
        response, correlation = b"", 0
        for flag in flags:
            if flag.startswith("response="):
                response = urllib.parse.unquote_to_bytes(flag[9:])
            if flag.startswith("correlation="):
                correlation = int(flag[12:])
        topic = topic.encode()
        yield (b"\x00" + bytes([bits, len(topic)]) + topic + bytes([len(response)]) + response +
               bytes([correlation]) + b"\x07" * correlation + payload)


MADE = {"mqtt_packet": mqtt_packets, "mqtt_session": mqtt_sessions, "link_slave": link_slave,
        "link_master": link_master, "identity": images, "sntp": sntp, "command": commands}


def write(target, name, data):
    folder = os.path.join(OUT, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def main():
    for target, make in MADE.items():
        for number, data in enumerate(make()):
            write(target, "vector-%03d" % number, data)
    for kind in ("seeds", "regressions"):
        for file in sorted(os.listdir(os.path.join(TESTS, "fuzz", kind))):
            target, extension = os.path.splitext(file)
            for number, line in enumerate(lines("fuzz", kind, file) if extension == ".txt" else ()):
                write(target, "%s-%03d" % (kind.rstrip("s"), number), literal(line))


main()
