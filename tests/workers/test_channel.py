"""The control channel: messages arrive whole and in order, with their descriptors, and its end is noticed."""

import os

from lbd.workers.messages import Listen, Ping, Veto


async def test_messages_arrive_in_order(ends):
    left, right = ends
    sent = [Ping(number) for number in range(1000)]
    for message in sent:
        left.channel.send(message)
    await right.wait(1000)
    assert [message for message, _ in right.got] == sent


async def test_long_messages_arrive_whole_in_both_directions(ends):
    left, right = ends
    long = Veto(1, "x" * 5_000_000)
    left.channel.send(long)
    left.channel.send(Ping(1))
    right.channel.send(long)
    await right.wait(2)
    await left.wait(1)
    assert [message for message, _ in right.got] == [long, Ping(1)]
    assert left.got[0][0] == long


async def test_descriptors_come_with_their_message(ends):
    left, right = ends
    pipes = [os.pipe() for _ in range(3)]
    left.channel.send(Ping(1))
    left.channel.send(Listen("a"), [pipes[0][0], pipes[1][0]])
    left.channel.send(Veto(1, "y" * 2_000_000))
    left.channel.send(Listen("b"), [pipes[2][0]])
    for reader, writer in pipes:
        os.close(reader)
        os.write(writer, b"pipe %d" % writer)
    await right.wait(4)
    assert [len(fds) for _, fds in right.got] == [0, 2, 0, 1]
    received = right.got[1][1] + right.got[3][1]
    assert [os.read(fd, 100) for fd in received] == [b"pipe %d" % writer for _, writer in pipes]
    assert not any(os.get_inheritable(fd) for fd in received)
    for fd in [*received, *(writer for _, writer in pipes)]:
        os.close(fd)


async def test_the_other_end_closing_is_noticed_once(ends):
    left, right = ends
    left.channel.close()
    await right.wait(1)
    assert right.reasons == ["closed by the other end"]
    assert not right.channel.open
    right.channel.send(Ping(1))
    assert left.reasons == []
