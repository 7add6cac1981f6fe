"""The board's UART in lockstep: time on the line, buffers that overflow and block, idle line."""

BAUD_US = 87


def test_stream_reader_gets_the_answer_when_it_has_arrived(node) -> None:
    n = node("""
import asyncio, machine, time
uart = machine.UART(1, 115200)
async def main():
    reader = asyncio.StreamReader(uart)
    uart.write(b"ping\\n")
    print(await reader.readline(), time.ticks_us())
asyncio.run(main())
machine.deepsleep(100000)
""")
    n.bench.run(until=10)
    # 5 characters out, 5 ms of the module, 5 back, and ten idle ones until the FIFO is read.
    expected = 10 * BAUD_US + 5_000 + 10 * 10_000_000 // 115200
    line, took = n.lines[0].split()
    assert line == "b'ping\\n'"
    assert abs(int(took) - expected) < 10


def test_bytes_beyond_the_receive_buffer_are_dropped_and_counted(node) -> None:
    n = node("""
import machine, time
uart = machine.UART(1, 115200, rxbuf=64)
uart.write(bytes(range(100)))
time.sleep(1)
print(uart.any(), uart.read())
uart.write(b"fits again")
time.sleep(1)
print(uart.read(), uart.read())
machine.deepsleep(100000)
""")
    n.bench.run(until=10)
    assert n.lines == [f"64 {bytes(range(64))!r}", "b'fits again' None"]
    assert n.bench.lost_bytes == 36
    assert any(e.kind == "lost" and "receive buffer of UART(1)" in e.detail for e in n.log)


def test_reads_take_what_is_asked_for(node) -> None:
    n = node("""
import machine, time
uart = machine.UART(1, 115200)
uart.write(b"one\\r\\ntwo\\r\\nthree")
time.sleep(1)
buf = bytearray(4)
print(uart.readinto(buf), bytes(buf), uart.readinto(buf, 1), uart.any())
print(uart.readline(), uart.readline(), uart.read(2), uart.read(), uart.readline(), uart.any())
machine.deepsleep(100000)
""")
    n.bench.run(until=10)
    assert n.lines == ["4 b'one\\r' 1 10", "b'two\\r\\n' b'three' None None None 0"]


def test_read_with_time_out_waits_for_what_is_missing(node) -> None:
    n = node("""
import machine, time
uart = machine.UART(1, 115200, timeout=500)
print(uart.read(3), time.ticks_ms())
uart.write(b"abc")
begin = time.ticks_ms()
print(uart.read(3), time.ticks_ms() - begin)
machine.deepsleep(100000)
""")
    n.bench.run(until=10)
    assert n.lines == ["None 500", "b'abc' 6"]


def test_write_blocks_while_the_transmit_buffer_is_full(node) -> None:
    n = node("""
import machine, time
uart = machine.UART(1, 115200, txbuf=100, rxbuf=2000)
print(uart.write(bytes(1000)), time.ticks_us(), uart.txdone())
uart.flush()
print(time.ticks_us(), uart.txdone())
while not uart.any():   # a busy loop must not stand still
    pass
print(uart.any() > 0, time.ticks_ms() < 300)
machine.deepsleep(100000)
""")
    n.bench.run(until=10)
    assert n.lines[0] == f"1000 {900 * 10_000_000 // 115200} False"
    assert n.lines[1] == f"{1000 * 10_000_000 // 115200} True"
    assert n.lines[2] == "True True"


def test_idle_line_interrupt_wakes_the_program_once_per_burst(node) -> None:
    n = node("""
import asyncio, machine, time
uart = machine.UART(1, 115200)
flag = asyncio.ThreadSafeFlag()
irq = uart.irq(lambda u: flag.set(), uart.IRQ_RXIDLE)
async def main():
    for burst in (b"first", b"second"):
        uart.write(burst)
        await flag.wait()
        print(uart.read(), irq.flags() == uart.IRQ_RXIDLE, time.ticks_ms())
        await asyncio.sleep_ms(100)
asyncio.run(main())
machine.deepsleep(100000)
""")
    n.bench.run(until=10)
    assert n.lines == ["b'first' True 6", "b'second' True 113"]


def test_nothing_is_received_in_light_sleep_nor_before_the_uart_is_open(node) -> None:
    n = node("""
import machine, time
time.sleep_ms(100)
uart = machine.UART(1, 115200)
uart.write(b"hello")
machine.lightsleep(50)
print(uart.read(), time.ticks_ms())
machine.deepsleep(100000)
""")
    n.bench.timeline.call_at(350_000, lambda: n.bench.module.send(b"boot noise"))
    n.bench.run(until=10)
    assert n.lines == ["None 150"]
    assert n.bench.lost_bytes == len(b"boot noise") + len(b"hello")


def test_module_hears_every_byte_at_the_time_it_was_written(node) -> None:
    n = node("""
import machine, time
uart = machine.UART(1, 115200)
for text in (b"AT\\r", bytes(range(256))):
    uart.write(text)
    time.sleep_ms(40)
machine.deepsleep(100000)
""")
    n.bench.run(until=10)
    assert n.bench.module.received == [(300_000, b"AT\r"), (340_000, bytes(range(256)))]


def test_pin_and_password_are_not_in_the_log(node) -> None:
    n = node("""
import machine, time
uart = machine.UART(1, 115200)
uart.write(b'AT+CPIN="7319"\\r')
uart.write(b'AT+LSMQTTCFG="password","hunter2"\\r')
time.sleep_ms(100)
machine.deepsleep(100000)
""")
    n.bench.run(until=10)
    log = "\n".join(map(str, n.log))
    assert "AT+CPIN=" in log and "LSMQTTCFG" in log
    assert "7319" not in log and "hunter2" not in log
