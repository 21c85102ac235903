"""A standard stream in a thread."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from unittest import TestCase

from cli.streams import LetGo, Stream

SOON = 20  # seconds that a thread may take for anything


class Streams(TestCase):
    def setUp(self) -> None:
        self.reader, self.writer = os.pipe()
        self.addCleanup(os.close, self.reader)
        self.threads = self.enterContext(ThreadPoolExecutor(1))

    def test_read(self) -> None:
        stream = Stream(self.reader)
        read = self.threads.submit(stream.read, 5)
        os.write(self.writer, b"abcdefg")
        self.assertEqual(read.result(SOON), b"abcde")
        self.assertEqual(stream.read(5), b"fg")
        os.close(self.writer)
        self.assertEqual(stream.read(5), b"")

    def test_lets_go_of_a_reader(self) -> None:
        self.addCleanup(os.close, self.writer)
        stream = Stream(self.reader)
        read: Future[bytes] = self.threads.submit(stream.read, 5)
        stream.let_go()
        self.assertRaises(LetGo, read.result, SOON)
        self.assertRaises(LetGo, stream.read, 5)

    def test_lets_go_of_a_writer(self) -> None:
        self.addCleanup(os.close, self.writer)
        stream = Stream(self.writer)
        written: Future[None] = self.threads.submit(stream.write, b"x" * 10_000_000)  # more than a pipe holds
        os.read(self.reader, 1)
        stream.let_go()
        self.assertRaises(LetGo, written.result, SOON)

    def test_writes_all(self) -> None:
        data = os.urandom(1_000_000)
        written: Future[None] = self.threads.submit(Stream(self.writer).write, data)
        read = b""
        while len(read) < len(data):
            read += os.read(self.reader, 65536)
        written.result(SOON)
        self.assertEqual(read, data)
        os.close(self.writer)

    def test_nobody_reads(self) -> None:
        stream = Stream(self.writer)
        self.assertFalse(stream.abandoned)
        reader = os.dup(self.reader)
        os.close(self.reader)
        self.assertFalse(stream.abandoned)
        os.close(reader)
        self.assertTrue(stream.abandoned)
        self.assertRaises(BrokenPipeError, stream.write, b"x")
        os.close(self.writer)
        self.reader = os.open(os.devnull, os.O_RDONLY)
