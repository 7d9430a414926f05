package top

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var began = time.Unix(1_700_000_000, 0).UTC()

// reading returns what a server said after so many seconds with so many puts.
func reading(t *testing.T, seconds float64, puts, start int) *Reading {
	t.Helper()
	text := fmt.Sprintf(`# TYPE metricd_build_info gauge
metricd_build_info{version="v1"} 1
# TYPE process_start_time_seconds gauge
process_start_time_seconds %d
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total %v
# TYPE metricd_requests_total counter
metricd_requests_total{protocol="line",command="put"} %d
metricd_requests_total{protocol="line",command="get"} 3
metricd_requests_total{protocol="otlp",command="write"} 0
# TYPE metricd_request_errors_total counter
metricd_request_errors_total{protocol="line",reason="malformed"} 2
metricd_request_errors_total{protocol="line",reason="too_old"} 1
# TYPE metricd_connections gauge
metricd_connections{protocol="line"} 2
# TYPE metricd_storage_samples gauge
metricd_storage_samples %d
# TYPE metricd_storage_series gauge
metricd_storage_series 12
# TYPE metricd_storage_samples_appended_total counter
metricd_storage_samples_appended_total %d
# TYPE metricd_storage_disk_bytes gauge
metricd_storage_disk_bytes 3000
# TYPE metricd_storage_log_sync_duration_seconds histogram
metricd_storage_log_sync_duration_seconds_bucket{le="0.001"} %d
metricd_storage_log_sync_duration_seconds_bucket{le="0.002"} %d
metricd_storage_log_sync_duration_seconds_bucket{le="+Inf"} %d
metricd_storage_log_sync_duration_seconds_sum %v
metricd_storage_log_sync_duration_seconds_count %d
`, start, seconds/2, puts, puts, puts, puts/20, puts/10, puts/10, float64(puts)/10*0.0009, puts/10)
	r, err := Read(strings.NewReader(text), began.Add(time.Duration(seconds*float64(time.Second))))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func view(t *testing.T) View {
	v := View{
		Server: "host:1", From: reading(t, 60, 1000, 1_700_000_000), To: reading(t, 62, 3000, 1_700_000_000),
		Now: began.Add(62 * time.Second), Hint: "q ends it", Width: 90, Height: 30,
		Busiest: &Busiest{Seconds: 2},
	}
	v.Busiest.Connections = append(v.Busiest.Connections, struct {
		Protocol, Client         string
		Puts, Gets               float64
		ReceivedBytes, SentBytes float64
	}{"line", "127.0.0.1:5", 2000, 1, 4096, 1024})
	v.Busiest.Series = append(v.Busiest.Series, struct {
		Key     string
		Samples float64
	}{"palm.cpu;host=a", 1500})
	return v
}

func TestScreen(t *testing.T) {
	v := view(t)
	const want = `metricd v1 at host:1, up 1m2s   22:14:22   q ends it

samples      3,000 stored, 12 series; 1,000/s taken, 0/s late, 0/s refused
disk         2.9 KiB, 1.00 bytes a sample; log 0 B; flushes: 0
syncs        100/s, 900µs each, 99% within 2ms
memory       0 B resident; samples and series 0 B; 50% of a processor
connections  2 line

requests by                 a second          in all      errors
line          get                  0               3           3
line          put              1,000           3,000

busiest connections                     puts/s      gets/s        in/s       out/s
127.0.0.1:5 line                         1,000         0.5     2.0 KiB       512 B

   samples/s  busiest series (estimated)
         750  palm.cpu;host=a`
	if got := strings.Join(v.Lines(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestScreenFits: a screen is as small as it has to be, whatever there is to show.
func TestScreenFits(t *testing.T) {
	for height := 1; height < 30; height++ {
		for _, width := range []int{1, 20, 80} {
			v := view(t)
			v.Width, v.Height, v.Problem = width, height, strings.Repeat("ä problem ", 30)
			lines := v.Lines()
			if len(lines) > height {
				t.Errorf("%d lines on a screen of %d", len(lines), height)
			}
			for _, line := range lines {
				if n := utf8.RuneCountInString(line); n > width {
					t.Errorf("%d characters on a screen of %d: %s", n, width, line)
				}
			}
		}
	}
}

// TestNoRates: before the second look, and when the server began anew, there are none.
func TestNoRates(t *testing.T) {
	to := reading(t, 62, 3000, 1_700_000_061)
	for _, from := range []*Reading{nil, reading(t, 60, 9000, 1_700_000_000), to} {
		v := View{From: from, To: to, Width: 100, Height: 30}
		if text := strings.Join(v.Lines(), "\n"); strings.Contains(text, "/s taken") || !strings.Contains(text, "put                  -           3,000") {
			t.Errorf("got\n%s", text)
		}
		if line := Line(from, to); !strings.HasPrefix(strings.TrimSpace(line), "-") {
			t.Errorf("got %s", line)
		}
	}
	if text := strings.Join((&View{Server: "x", Problem: "away", Height: 9}).Lines(), "\n"); !strings.Contains(text, "! away") {
		t.Errorf("got %s", text)
	}
}

func TestLine(t *testing.T) {
	got := strings.Fields(Line(reading(t, 60, 1000, 1_700_000_000), reading(t, 62, 3000, 1_700_000_000)))
	want := "1000 1000 0 12 3000 1.00 0.90 0 0 B 2"
	if strings.Join(got, " ") != want {
		t.Errorf("got %q, want %s", got, want)
	}
	if len(Heading) != len(Line(nil, reading(t, 1, 1, 1))) {
		t.Errorf("the heading is %d wide, a line %d", len(Heading), len(Line(nil, reading(t, 1, 1, 1))))
	}
}

// TestReadOther: what is no metricd's is an error.
func TestReadOther(t *testing.T) {
	for _, text := range []string{"", "<html>", "# TYPE up gauge\nup 1\n"} {
		if _, err := Read(strings.NewReader(text), began); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}
