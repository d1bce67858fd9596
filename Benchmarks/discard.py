#!/usr/bin/env python3
"""Lets the server send tables as CSV over one connection and throws them away: what no client can do without.

    discard.py PORT DATABASE TABLE …        as the user postgres of this machine's server, without a password
"""
import socket
import struct
import sys
import time

port, database, *tables = sys.argv[1:]
server = socket.create_connection(("127.0.0.1", int(port)))
buffer = bytearray(1 << 20)


def discard_answer():
    tail, total = b"", 0
    while not tail.endswith((b"Z\0\0\0\5I", b"Z\0\0\0\5T")):
        count = server.recv_into(buffer)
        if count == 0:
            sys.exit("the server has closed the connection")
        total += count
        tail = (tail + bytes(buffer[max(0, count - 6):count]))[-6:]
        # Waking a reader costs the server more than sending: it is let alone until there is more.
        if count < 65536 < total:
            time.sleep(0.0002)


start = b"user\0postgres\0database\0" + database.encode() + b"\0\0"
server.sendall(struct.pack(">ii", 8 + len(start), 196608) + start)
discard_answer()
for table in tables:
    query = f"COPY {table} TO STDOUT (FORMAT csv)".encode() + b"\0"
    server.sendall(b"Q" + struct.pack(">i", 4 + len(query)) + query)
    discard_answer()
