"""User-mode NAT by libslirp (what QEMU uses) through ctypes: IP packets in and out, no root.

The guest is the PPP client. `GATEWAY` is this machine's 127.0.0.1; packets to any other address
are dropped before libslirp sees them, because it would forward them to the world.
"""

import contextlib
import ctypes as c
import ctypes.util
import ipaddress
import selectors
import socket
import time
from collections.abc import Callable

from tools.installed import PeerMissing

CLIENT, GATEWAY, DNS = "10.0.2.15", "10.0.2.2", "10.0.2.3"
_NETWORK, _MASK = "10.0.2.0", "255.255.255.0"
MTU = 1500
_CLIENT_MAC, _HOST_MAC = b"\x52\x55\x0a\x00\x02\x0f", b"\x52\x55\x0a\x00\x02\x02"
_IPV4, _ARP = b"\x08\x00", b"\x08\x06"
_ARP_REQUEST = b"\0\1\x08\0\6\4\0\1"
_ARP_REPLY = b"\0\1\x08\0\6\4\0\2"
# SLIRP_POLL_*: in, out, priority, error, hang-up
_IN, _OUT, _HANG_UP = 1, 2, 16


class _Config(c.Structure):
    """SlirpConfig of libslirp.h, version 1."""

    _fields_ = (
        ("version", c.c_uint32), ("restricted", c.c_int), ("in_enabled", c.c_bool),
        ("vnetwork", c.c_uint32), ("vnetmask", c.c_uint32), ("vhost", c.c_uint32),
        ("in6_enabled", c.c_bool), ("vprefix_addr6", c.c_uint8 * 16), ("vprefix_len", c.c_uint8),
        ("vhost6", c.c_uint8 * 16), ("vhostname", c.c_char_p), ("tftp_server_name", c.c_char_p),
        ("tftp_path", c.c_char_p), ("bootfile", c.c_char_p), ("vdhcp_start", c.c_uint32),
        ("vnameserver", c.c_uint32), ("vnameserver6", c.c_uint8 * 16),
        ("vdnssearch", c.c_void_p), ("vdomainname", c.c_char_p), ("if_mtu", c.c_size_t),
        ("if_mru", c.c_size_t), ("disable_host_loopback", c.c_bool), ("enable_emu", c.c_bool),
    )  # fmt: skip


_Send = c.CFUNCTYPE(c.c_ssize_t, c.c_void_p, c.c_size_t, c.c_void_p)
_GuestError = c.CFUNCTYPE(None, c.c_char_p, c.c_void_p)
_Clock = c.CFUNCTYPE(c.c_int64, c.c_void_p)
_TimerCall = c.CFUNCTYPE(None, c.c_void_p)
_TimerNew = c.CFUNCTYPE(c.c_void_p, _TimerCall, c.c_void_p, c.c_void_p)
_TimerFree = c.CFUNCTYPE(None, c.c_void_p, c.c_void_p)
_TimerSet = c.CFUNCTYPE(None, c.c_void_p, c.c_int64, c.c_void_p)
_Descriptor = c.CFUNCTYPE(None, c.c_int, c.c_void_p)
_Notify = c.CFUNCTYPE(None, c.c_void_p)
_AddPoll = c.CFUNCTYPE(c.c_int, c.c_int, c.c_int, c.c_void_p)
_GetEvents = c.CFUNCTYPE(c.c_int, c.c_int, c.c_void_p)


class _Callbacks(c.Structure):
    """SlirpCb of libslirp.h, version 1."""

    _fields_ = (
        ("send_packet", _Send), ("guest_error", _GuestError), ("clock_get_ns", _Clock),
        ("timer_new", _TimerNew), ("timer_free", _TimerFree), ("timer_mod", _TimerSet),
        ("register_poll_fd", _Descriptor), ("unregister_poll_fd", _Descriptor),
        ("notify", _Notify),
    )  # fmt: skip


def _library() -> c.CDLL:
    name = ctypes.util.find_library("slirp") or "libslirp.so.0"
    try:
        library = c.CDLL(name)
    except OSError as error:
        raise PeerMissing("libslirp") from error
    library.slirp_new.restype = c.c_void_p
    return library


def _number(address: str) -> int:
    return c.c_uint32.from_buffer_copy(socket.inet_aton(address)).value


class Nat:
    """A peer in the sense of `VirtualC1100.peers()`: one descriptor for all connections.

    on_packet(bytes) -- an IP packet for the client
    clock_ns -- the virtual time in nanoseconds, by which TCP's timers run; call `tick` often
    ready -- whether the client's line can take more
    """

    want_write = False

    def __init__(
        self,
        on_packet: Callable[[bytes], None],
        clock_ns: Callable[[], int],
        ready: Callable[[], bool],
        grace_s: float,
    ) -> None:
        self._library = _library()
        self._on_packet = on_packet
        self._ready = ready
        self._grace_s = grace_s
        self._patient_until = 0.0
        self.dropped = 0
        self._to_slirp: list[bytes] = []
        self._selector = selectors.DefaultSelector()
        self._polled: list[tuple[int, int]] = []  # descriptor and events, by libslirp's index
        self._events: dict[int, int] = {}
        self._closed = False
        self._keep = self._callbacks(clock_ns)  # ctypes does not keep callbacks alive
        self._add = _AddPoll(self._add_poll)
        self._get = _GetEvents(lambda index, opaque: self._events.get(index, 0))
        config = _Config(
            version=1, in_enabled=True, vnetwork=_number(_NETWORK), vnetmask=_number(_MASK),
            vhost=_number(GATEWAY), vdhcp_start=_number(CLIENT), vnameserver=_number(DNS),
            if_mtu=MTU, if_mru=MTU,
        )  # fmt: skip
        self._slirp = c.c_void_p(
            self._library.slirp_new(c.byref(config), c.byref(self._keep), None)
        )

    def _callbacks(self, clock_ns: Callable[[], int]) -> _Callbacks:
        """IPv4 alone uses no timers, so none is ever armed."""
        return _Callbacks(
            _Send(self._packet_out), _GuestError(lambda message, opaque: None),
            _Clock(lambda opaque: clock_ns()), _TimerNew(lambda call, data, opaque: 1),
            _TimerFree(lambda timer, opaque: None), _TimerSet(lambda timer, at, opaque: None),
            _Descriptor(lambda fd, opaque: None), _Descriptor(lambda fd, opaque: None),
            _Notify(lambda opaque: None),
        )  # fmt: skip

    def fileno(self) -> int:
        self._refresh()
        return self._selector.fileno()  # type: ignore[attr-defined]  # epoll and kqueue have it

    @property
    def want_read(self) -> bool:
        return not self._closed and self._ready()

    @property
    def pending(self) -> bool:
        """A packet has just gone in: an answer is likely."""
        return self.want_read and time.monotonic() < self._patient_until

    def on_ready(self) -> None:
        """Some connection has something."""
        if not self._closed:
            self._poll()

    def tick(self) -> None:
        """Let TCP's timers run."""
        self._refresh()
        self._poll()

    def packet_in(self, packet: bytes) -> None:
        """An IP packet of the client."""
        if len(packet) < 20 or packet[16:20] != ipaddress.IPv4Address(GATEWAY).packed:
            self.dropped += 1
            return
        self._patient_until = time.monotonic() + self._grace_s
        self._input(_HOST_MAC + _CLIENT_MAC + _IPV4 + packet)

    def close(self) -> None:
        """End all connections."""
        if not self._closed:
            self._closed = True
            self._selector.close()
            self._library.slirp_cleanup(self._slirp)

    def _input(self, frame: bytes) -> None:
        self._to_slirp.append(frame)
        while self._to_slirp:
            queued = self._to_slirp.pop(0)
            self._library.slirp_input(self._slirp, queued, len(queued))

    def _packet_out(self, buffer: int, size: int, opaque: int) -> int:
        """libslirp sends an Ethernet frame: IP for the client, or it asks for its address."""
        frame = c.string_at(buffer, size)
        kind, body = frame[12:14], frame[14:]
        if kind == _IPV4:
            self._patient_until = time.monotonic() + self._grace_s
            self._on_packet(body)
        elif kind == _ARP and body.startswith(_ARP_REQUEST):
            reply = _HOST_MAC + _CLIENT_MAC + _ARP + _ARP_REPLY
            # It must not be called back from inside its own call: _drain delivers this.
            self._to_slirp.append(reply + _CLIENT_MAC + body[24:28] + body[8:18])
        return size

    def _drain(self) -> None:
        while self._to_slirp:
            self._input(self._to_slirp.pop(0))

    def _add_poll(self, fd: int, events: int, opaque: int) -> int:
        self._polled.append((fd, events))
        return len(self._polled) - 1

    def _refresh(self) -> None:
        """Ask libslirp what it waits for now."""
        self._polled.clear()
        timeout = c.c_uint32(0)
        self._library.slirp_pollfds_fill(self._slirp, c.byref(timeout), self._add, None)
        wanted = {}
        for fd, events in self._polled:
            mask = selectors.EVENT_READ * bool(events & ~_OUT)
            wanted[fd] = mask | selectors.EVENT_WRITE * bool(events & _OUT)
        for key in list(self._selector.get_map().values()):
            if wanted.get(key.fd) != key.events:
                with contextlib.suppress(KeyError, OSError):
                    self._selector.unregister(key.fd)
            else:
                del wanted[key.fd]
        for fd, mask in wanted.items():
            if mask:
                self._selector.register(fd, mask)

    def _poll(self) -> None:
        ready = {key.fd: mask for key, mask in self._selector.select(0)}
        self._events = {}
        for index, (fd, events) in enumerate(self._polled):
            mask = ready.get(fd, 0)
            seen = (_IN if mask & selectors.EVENT_READ else 0) & events
            self._events[index] = seen | (_OUT if mask & selectors.EVENT_WRITE else 0) & events
        self._library.slirp_pollfds_poll(self._slirp, 0, self._get, None)
        self._drain()
