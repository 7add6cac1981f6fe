"""The settings of a wake, in a third of the heap that a dict of them takes: values alone. Where
one stands tells the list of their keys, which config.py has with all else that is known of them.
Whatever takes settings takes a dict as well.
"""

KEYS = (
    " id apn sample.period_s sample.flex_s sample.record sample.at_least_s report.period_s"
    " report.flex_s report.deadline_s report.poor_dbm report.limit_s report.records"
    " position.period_s position.flex_s position.limit_s position.weak_s position.weak_db"
    " position.moved_m position.still_s register_s uplink.first uplink.then payload.format"
    " http.url tcp.host tcp.port mqtt.host mqtt.port mqtts.port mqtt.keepalive_s mqtt.qos"
    " mqtt.user tls.ca tls.cert tls.key uart.id uart.baud uart.tx uart.rx pins.pwrkey pins.wake"
    " pins.status pins.ring pins.cut pins.alarm pins.battery pins.temperature"
    " pins.pwrkey_active pins.wake_active pins.status_active pins.ring_active pins.cut_active"
    " pins.alarm_active battery.divider battery.kind battery.cells battery.sample"
    " battery.report battery.position battery.low_v battery.critical_v sleep.module sleep.tau_s"
    " sleep.active_s sleep.edrx_s sleep.release_s sleep.doze watchdog_s outbox.bytes"
    " outbox.policy commands.listen_s health.period_s log.level alarm.gap_s alarm.max_per_day"
    " sensors rules fences dead_bands pin mqtt.password commands.key http.token "
)


class Settings:
    """given -- all of them: key -> value"""

    def __init__(self, given: dict) -> None:
        self._values = [given[key] for key in KEYS.split()]
        # Rows that somebody has added to the table of config.py; else nothing.
        self._more = given if len(given) > len(self._values) else {}

    def __getitem__(self, key: str):
        at = KEYS.find(" %s " % key)
        if at < 0:
            return self._more[key]
        return self._values[KEYS.count(" ", 0, at)]

    def get(self, key: str, default=None):
        return self[key] if " %s " % key in KEYS else self._more.get(key, default)

    def __iter__(self):
        return iter(self._more or KEYS.split())

    def copy(self) -> dict:
        """All of them, key -> value."""
        return dict(self._more or zip(KEYS.split(), self._values))
