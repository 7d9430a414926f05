package peers

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// clients are InfluxDB's clients for Python, of versions 2 and 1.
var clients = []string{"influxdb-client==1.50.0", "influxdb==5.3.2"}

// TestInfluxDBClients has InfluxDB's clients write: points and lines in every precision, with and without gzip, with a wrong line
// among them, in batches, and while the server's disk is full.
func TestInfluxDBClients(t *testing.T) {
	t.Parallel()
	_, env := pypi(t, clients...)
	s, disk := serveSmall(t)
	cmd := exec.Command("python3", "testdata/write.py", "http://"+s.http)
	cmd.Env = env
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, cmd)

	p.await(t, "flushed\n")
	if disk != nil {
		disk.fill(t)
		fmt.Fprintln(stdin, "full")
		p.await(t, "retried 503 ")
		disk.free(t)
	}
	stdin.Close()
	p.wait(t)
	want := influxWant(disk != nil)
	if err := s.missing(want); err != nil {
		t.Error(err)
	}
	if got, err := s.export(); err != nil || len(got) != len(want) {
		t.Errorf("got %d series, %v, want %d", len(got), err, len(want))
	}
	var said []string // without what is said as often as there are batches
	for line := range strings.Lines(p.out.String()) {
		if !strings.HasPrefix(line, "stored") && !strings.HasPrefix(line, "retried 503 ") && !strings.HasPrefix(line, "The retriable error ") {
			said = append(said, strings.TrimSpace(line))
		}
	}
	if got, want := strings.Join(said, "\n"), strings.Join(influxSaid, "\n"); got != want {
		t.Errorf("the clients said\n%s\nwant\n%s", got, want)
	}
}

var influxSaid = []string{
	"health pass True",
	`refused 400 partial write: line 2: field value has unrecognized type dropped=1`,
	"health pass True",
	`refused 400 partial write: line 2: field value has unrecognized type dropped=1`,
	"databases metricd",
	"databases metricd",
	`refused 400 {"error":"partial write: line 2: field value has unrecognized type dropped=1"}`,
	"flushed",
}

// influxWant is what testdata/write.py writes.
func influxWant(full bool) samples {
	want := samples{}
	for _, name := range []string{"plain", "gzip"} {
		const tags = ";room=living%20room,%20a=b"
		want.add(name+tags, 1700000000_123, 21.5)
		want.add(name+"_n"+tags, 1700000000_123, 3)
		want.add(name+"_ok"+tags, 1700000000_123, 1)
		for i := range int64(4) {
			want.add(name, 1700000001_000+1001*i, 0.1)
		}
		want.add(name, 1700000005_000, 1)
		want.add(name, 1700000006_000, 2)
	}
	for _, gzip := range []string{"False", "True"} {
		for _, ms := range []int64{1700000000_000, 1700000000_123} {
			want.add("v1;gzip="+gzip, ms, 0.5)
			want.add("v1_n;gzip="+gzip, ms, 7)
		}
	}
	want.add("v1", 1700000000_000, 1)
	for i := range int64(5000) {
		want.add("batch_n;host=a", (1700000000+i)*1000, float64(i))
		if full && i < 500 {
			want.add("full_n;host=a", (1700000000+i)*1000, float64(i))
		}
	}
	return want
}
