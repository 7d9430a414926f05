package peers

import (
	"bufio"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCollectd has Debian's collectd write over TCP and UDP, with and without tags.
func TestCollectd(t *testing.T) {
	t.Parallel()
	unpacked := debian(t, "collectd-core")
	for _, protocol := range []string{"tcp", "udp"} {
		for _, tags := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s,tags=%v", protocol, tags), func(t *testing.T) {
				t.Parallel()
				testCollectd(t, unpacked, protocol, tags)
			})
		}
	}
}

func testCollectd(t *testing.T, unpacked, protocol string, tags bool) {
	s := serve(t)
	c := startCollectd(t, unpacked, replaced(t, replaced(t, s.block(t, "collectd", 0),
		`Protocol "tcp"`, `Protocol "`+protocol+`"`),
		"UseTags true", fmt.Sprintf("UseTags %v", tags)))

	// What is put into it by hand arrives under the name that collectd makes of it.
	want := samples{}
	for _, put := range collectdPuts {
		c.tell(t, "PUTVAL "+put.identifier+" interval=10 "+put.values)
		key := put.plain
		if tags {
			key = put.tagged
		}
		for ms, v := range put.want {
			want.add(key, ms, v)
		}
	}
	until(t, func() error {
		c.tell(t, flush)
		return s.missing(want)
	})

	// What it measures is what its own files say.
	load := "box_example.load.load.shortterm"
	if tags {
		load = "load.load.shortterm;host=box.example;plugin=load;type=load;ds_name=shortterm"
	}
	c.await(t, 3)
	measured := c.measured(t)
	until(t, func() error {
		c.tell(t, flush)
		return missing(s, load, measured, 0)
	})

	// It goes on by itself when the server was away. What it sent in between is lost: nobody tells it so.
	s.kill(t)
	back, again := time.Now().Unix()+1, int64(0)
	until(t, func() (err error) {
		c.tell(t, flush)
		again, err = newest(s, load)
		if err == nil && again <= back {
			err = fmt.Errorf("the newest sample is of %d, the server is back since %d", again, back)
		}
		return err
	})

	// When it stops it sends what it still has.
	c.await(t, len(c.measured(t))+1)
	c.stop(t, syscall.SIGTERM)
	measured = c.measured(t)
	until(t, func() error { return missing(s, load, measured, again) })
}

// flush makes collectd send what it has gathered.
const flush = "FLUSH"

// collectdPuts are values as collectd's socket takes them, and what they are to become.
var collectdPuts = []struct {
	identifier, values string
	plain, tagged      string
	want               map[int64]float64
}{
	{"box.example/p/gauge", "1700000000:-1e300", "box_example.p.gauge", "p.gauge;host=box.example;plugin=p;type=gauge", map[int64]float64{1700000000_000: -1e300}},
	{
		`"box one/plug-in st/gauge-odd.name=x"`, "1700000000.75:1.5", "box_one.plug-in_st.gauge-odd_name=x",
		"plug.gauge;host=box_one;plugin=plug;plugin_instance=in_st;type=gauge;type_instance=odd.name=x",
		map[int64]float64{1700000001_000: 1.5},
	},
	{`"box.example/p ü/gauge-é ~"`, "1700000001:0.1", "box_example.p_ü.gauge-é_~", "p_ü.gauge;host=box.example;plugin=p_ü;type=gauge;type_instance=é_~", map[int64]float64{1700000001_000: 0.1}},
	// A counter becomes a rate, as soon as there are two values; U is no value, and becomes nan.
	{"box.example/p/derive-d", "1700000000:10", "", "", nil},
	{"box.example/p/derive-d", "1700000010:30", "box_example.p.derive-d", "p.derive;host=box.example;plugin=p;type=derive;type_instance=d", map[int64]float64{1700000010_000: 2}},
	{"box.example/p/gauge-u", "1700000000:U", "", "", nil},
}

// collectd is a collectd that measures the load each second, also to files, and can be told more through a socket.
type collectd struct {
	*process
	dir     string
	talk    net.Conn
	replies *bufio.Reader
}

func startCollectd(t *testing.T, unpacked, block string) *collectd {
	t.Helper()
	c := &collectd{dir: t.TempDir()}
	usr := filepath.Join(unpacked, "usr")
	socket := filepath.Join(shortDir(t), "socket")
	conf := write(t, "collectd.conf", fmt.Sprintf(`Hostname "box.example"
FQDNLookup false
Interval 1
WriteThreads 1
BaseDir "%[1]s"
PIDFile "%[1]s/pid"
PluginDir "%[2]s/lib/collectd"
TypesDB "%[2]s/share/collectd/types.db"
LoadPlugin load
LoadPlugin csv
<Plugin csv>
  DataDir "%[1]s/csv"
</Plugin>
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "%[3]s"
  SocketPerms "0600"
</Plugin>
`, c.dir, usr, socket)+block)
	c.process = start(t, exec.Command(filepath.Join(usr, "sbin/collectd"), "-f", "-C", conf))
	until(t, func() (err error) {
		c.talk, err = net.Dial("unix", socket)
		return err
	})
	c.replies = bufio.NewReader(c.talk)
	t.Cleanup(func() { c.talk.Close() })
	return c
}

// shortDir returns a directory with a short name: that of a socket has to fit into 107 bytes.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "peers")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// tell sends a command, which must succeed.
func (c *collectd) tell(t *testing.T, command string) {
	t.Helper()
	if _, err := fmt.Fprintln(c.talk, command); err != nil {
		t.Fatal(err)
	}
	if reply, err := c.replies.ReadString('\n'); err != nil || !strings.HasPrefix(reply, "0 ") {
		t.Fatalf("%s: got %q, %v", command, reply, err)
	}
}

// measured returns what collectd's files say of the load, as texts, by the second that write_graphite makes of the time: the nearest.
func (c *collectd) measured(t *testing.T) map[int64]string {
	t.Helper()
	days, err := filepath.Glob(filepath.Join(c.dir, "csv/box.example/load/load-*"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[int64]string{}
	for _, day := range days {
		text, err := os.ReadFile(day)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		for _, line := range lines[1 : len(lines)-1] { // without the header, and what is not written whole yet
			columns := strings.Split(line, ",")
			at, err := strconv.ParseFloat(columns[0], 64)
			if err != nil {
				t.Fatal(err)
			}
			rows[int64(math.Round(at))] = columns[1]
		}
	}
	return rows
}

// await waits until collectd has measured so often.
func (c *collectd) await(t *testing.T, count int) {
	t.Helper()
	until(t, func() error {
		if n := len(c.measured(t)); n < count {
			return fmt.Errorf("collectd measured %d times, want %d", n, count)
		}
		return nil
	})
}

// missing says what of the measured values, at a second or later, s does not hold.
func missing(s *server, key string, measured map[int64]string, since int64) error {
	got, err := s.export()
	if err != nil {
		return err
	}
	for at, want := range measured {
		if v, ok := got[key][at*1000]; at >= since && (!ok || fmt.Sprintf("%.6f", v) != want) {
			return fmt.Errorf("%s at %d: got %v (%v), want %s", key, at, v, ok, want)
		}
	}
	return nil
}

// newest returns the time of the newest sample of a series in seconds.
func newest(s *server, key string) (at int64, err error) {
	got, err := s.export()
	for ms := range got[key] {
		at = max(at, ms/1000)
	}
	return at, err
}
