"""What free counts tell: the size of the module's buffer, and that bytes were lost on the way."""

from c1100 import BadAnswer, PayloadError
from c1100.room import Room, Sizes
from host_tests.support import raises

MODULES = [(size, unit) for size in (1024, 1358, 1460, 1500, 2048, 3000, 4096) for unit in (1, 2)]
FILLS = ((3,), (1,), (40,), (100, 100), (500,), (20, 300), (400, 7), (128, 128, 128))


class Buffer:
    """The module's."""

    def __init__(self, size, unit):
        self.size = size
        self.unit = unit
        self.there = 0

    def put(self, n):
        self.there += n
        return self.size - self.unit * self.there


def fill(room, buffer, pieces):
    for n in pieces:
        assert n <= room.left, (n, room.left)
        room.put(n, buffer.put(n))
    room.push()
    buffer.there = 0


def test_every_size_in_bytes_or_digits_is_learned():
    for size, unit in MODULES:
        for first in FILLS:
            sizes = Sizes()
            room = Room(sizes)
            for pieces in (first,) + FILLS:
                fill(room, Buffer(size, unit), pieces)
            assert sizes.pairs == [(size, unit)], (size, unit, first, sizes.pairs)
            other = Room(sizes)
            assert other.left == size // unit


def test_never_more_is_put_in_than_fits():
    for size, unit in MODULES:
        if size // unit < 700:
            continue  # its first piece may be too long: nobody can know
        sizes = Sizes()
        for _ in range(4):
            room = Room(sizes)
            buffer = Buffer(size, unit)
            while room.left > 0:
                n = min(room.left, 700)
                free = buffer.put(n)
                assert free >= 0, (size, unit, room.filled)
                room.put(n, free)
        assert sizes.pairs == [(size, unit)]


def test_lost_digits_show_from_the_first_count_on_in_the_usual_buffer():
    for n in (1, 4, 100, 547, 700):
        for lost in (1, 2, n // 2, n):
            if not 0 < lost <= n or not (1500 + lost) % 512 or not (1500 + lost + n) % 512:
                continue  # the rest looks like what a buffer of another size tells
            with raises(PayloadError) as caught:
                Room(Sizes()).put(n, 1500 - n + lost)
            assert (caught.error.got, caught.error.want) == (n - lost, n)


def test_lost_digits_show_in_every_buffer_that_is_known():
    for size, unit in MODULES:
        for pieces in FILLS:
            for at_ in range(len(pieces)):
                for lost in (1, 2, pieces[at_]):
                    if lost > pieces[at_]:
                        continue
                    sizes = Sizes()
                    for known in FILLS:
                        fill(Room(sizes), Buffer(size, unit), known)
                    room, buffer = Room(sizes), Buffer(size, unit)
                    for i, n in enumerate(pieces):
                        free = buffer.put(n - lost if i == at_ else n)
                        if i == at_:
                            with raises(PayloadError):
                                room.put(n, free)
                            break
                        room.put(n, free)
                    assert sizes.pairs == [(size, unit)]  # what is known is not forgotten for it


def test_what_was_pushed_may_take_room_still():
    for size, unit in MODULES:
        sizes = Sizes()
        room, buffer = Room(sizes), Buffer(size, unit)
        for n in (30, 200):
            room.put(n, buffer.put(n))
        room.push()
        room.put(20, buffer.put(20))  # none of it has gone
        assert room.left == (size - 250 * unit) // unit
        room.push()
        buffer.there = 0
        room.put(20, buffer.put(20))
        assert room.left == (size - 20 * unit) // unit
        with raises(PayloadError):
            room.put(5, buffer.put(2))


def test_a_count_that_is_none():
    for free in (-1, -1500, 65536, 10**20):
        with raises(BadAnswer):
            Room(Sizes()).put(3, free)


def test_a_module_that_does_not_count():
    room = Room(Sizes())
    assert room.left == 1500
    room.put(700, None)
    assert room.left == 800
    room.put(700, None)
    room.push()
    assert room.left == 1500


def test_a_first_count_that_was_damaged_is_forgotten():
    """The answer itself had lost a digit."""
    for size in (1460, 1500, 3000):
        for wrong in (0, 1, 14, 149, 4990):
            sizes = Sizes()
            try:
                Room(sizes).put(4, wrong)
                Room(sizes).put(4, size - 4)
            except PayloadError:
                pass  # one of the two is no longer believed
            for _ in range(2):
                fill(Room(sizes), Buffer(size, 1), (4, 10))
