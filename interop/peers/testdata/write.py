"""Writes to metricd at URL with InfluxDB's clients, versions 2 and 1, and says on standard output what they say:
write.py URL. It says "retried" when the server takes nothing; its test fills the server's disk before it answers "full"."""

import sys
import urllib.parse

import influxdb
from influxdb_client import InfluxDBClient, Point, WriteOptions, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

url = sys.argv[1]


def say(*words):
    print(*words, flush=True)


def lines(measurement, count):
    return [f"{measurement},host=a n={i}i {1700000000 + i}" for i in range(count)]


def synchronous(gzip):
    with InfluxDBClient(url=url, token="none", org="none", enable_gzip=gzip) as client:
        say("health", client.health().status, client.ping())
        api = client.write_api(write_options=SYNCHRONOUS)
        name = "gzip" if gzip else "plain"
        api.write(
            bucket="none",
            record=Point(name)
            .tag("room", "living room, a=b")
            .field("value", 21.5)
            .field("n", 3)
            .field("ok", True)
            .field("text", 'a "q"\nb v=1')
            .time(1700000000123456789, WritePrecision.NS),
        )
        for precision, time in (("s", 1700000001), ("ms", 1700000002001), ("us", 1700000003002999), ("ns", 1700000004003999999)):
            api.write(bucket="none", record=f"{name} value=0.1 {time}", write_precision=precision)
        try:
            api.write(bucket="none", record=f"{name} value=1 1700000005\n{name} value=x\n{name} value=2 1700000006", write_precision=WritePrecision.S)
        except ApiException as e:
            say("refused", e.status, e.message)


def batching():
    """Sends in batches from a thread of the client's. A batch that the server can't take now it sends again."""

    def stored(*_):
        say("stored")

    def retried(_, __, error):
        say("retried", error.response.status, error.retry_after)

    def failed(_, __, error):
        say("failed", error)

    options = WriteOptions(batch_size=1000, flush_interval=200, jitter_interval=0, max_retries=20, retry_interval=500, max_retry_delay=1000)
    with InfluxDBClient(url=url, token="none", org="none") as client:
        with client.write_api(options, success_callback=stored, retry_callback=retried, error_callback=failed) as api:
            api.write(bucket="none", record=lines("batch", 5000), write_precision=WritePrecision.S)
        say("flushed")
        if sys.stdin.readline() == "full\n":
            with client.write_api(options, success_callback=stored, retry_callback=retried, error_callback=failed) as api:
                api.write(bucket="none", record=lines("full", 500), write_precision=WritePrecision.S)


def version1():
    at = urllib.parse.urlsplit(url)
    for gzip in (False, True):
        client = influxdb.InfluxDBClient(host=at.hostname, port=at.port, database="none", gzip=gzip)
        client.ping()
        client.create_database("none")
        say("databases", *(d["name"] for d in client.get_list_database()))
        points = [{"measurement": "v1", "tags": {"gzip": gzip}, "fields": {"value": 0.5, "n": 7}, "time": "2023-11-14T22:13:20.123456Z"}]
        client.write_points(points)
        client.write_points(points, time_precision="s")
    try:
        client.write_points(["v1 value=1 1700000000000", "v1 value=x"], protocol="line", time_precision="ms")
    except influxdb.exceptions.InfluxDBClientError as e:
        say("refused", e.code, e.content.strip())


synchronous(False)
synchronous(True)
version1()
batching()
