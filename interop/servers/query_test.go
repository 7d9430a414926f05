package servers

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/prometheus/prompb"
)

const (
	loadStart  int64 = 1_700_000_000_000 // ms
	scrape     int64 = 15_000            // ms between two samples of a series
	loadEnd          = loadStart + 24*3_600_000 + 300_000
	wideStart        = loadEnd - 3_900_000 // when those series begin that are many
	wideSeries       = 10_000
)

// BenchmarkQuery measures how long servers take for queries over HTTP, from the request to the end of the answer, in turn: over 10,000 series
// x{host, core} of 65 minutes and the series day{} of a day, at 15 s. metricd is asked once more after a restart, when it has
// all in chunks on disk. ms is the median.
func BenchmarkQuery(b *testing.B) {
	all := processes(b)
	for _, p := range all {
		p.start(b)
		p.load(b)
	}
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = p.name
	}
	if all[0].name == "metricd" {
		restarted := &process{name: "metricd", path: all[0].path, dir: all[0].dir}
		all[0].stop(b)
		restarted.start(b)
		all, names = append(all, restarted), append(names, "metricd-disk")
		all[0].dir = b.TempDir()
		all[0].start(b)
		all[0].load(b)
	}
	for _, q := range []struct {
		name, path string
		query      url.Values
	}{
		{"rate", "query_range", span("sum by (host) (rate(x[5m]))", wideStart+300_000, loadEnd)},
		{"day", "query_range", span("day", loadStart+300_000, loadEnd)},
		{"instant", "query", url.Values{"query": {"x"}, "time": {seconds(loadEnd - scrape)}}},
		{"values", "label/host/values", nil},
		{"regexp", "series", url.Values{"match[]": {`x{host=~"host-00[0-9]{2}"}`}, "start": {seconds(wideStart)}, "end": {seconds(loadEnd)}}},
	} {
		b.Run(q.name, func(b *testing.B) {
			took := make([][]time.Duration, len(all))
			for b.Loop() {
				for i, p := range all {
					start := time.Now()
					p.ask(b, q.path, q.query)
					took[i] = append(took[i], time.Since(start))
				}
			}
			b.ReportMetric(0, "ns/op")
			for i, name := range names {
				slices.Sort(took[i])
				b.ReportMetric(took[i][len(took[i])/2].Seconds()*1000, name+"-ms")
			}
		})
	}
}

func span(query string, mint, maxt int64) url.Values {
	return url.Values{"query": {query}, "start": {seconds(mint)}, "end": {seconds(maxt)}, "step": {seconds(scrape)}}
}

func seconds(ms int64) string { return strconv.FormatFloat(float64(ms)/1000, 'f', -1, 64) }

// ask asks for a path below /api/v1, and reads the answer.
func (p *process) ask(b *testing.B, path string, query url.Values) {
	answer, err := http.Get("http://" + p.addr + "/api/v1/" + path + "?" + query.Encode())
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	if n, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK || n < 100 {
		b.Fatal(p.name, ": ", answer.Status, " ", n, " bytes ", err)
	}
}

// load writes the series, time by time.
func (p *process) load(b *testing.B) {
	var labels [][]prompb.Label
	for i := range wideSeries {
		labels = append(labels, pairs([]string{"__name__", "x", "core", fmt.Sprint(i % 10), "host", fmt.Sprintf("host-%04d", i/10)}))
	}
	day := pairs([]string{"__name__", "day"})
	values := make([]float64, wideSeries)
	rng := rand.New(rand.NewPCG(1, 2))
	var m prompb.WriteRequest
	send := func(force bool) {
		if len(m.Timeseries) < 5000 && !force {
			return
		}
		if err := p.write(type1, pack(&m)); err != nil {
			b.Fatal(err)
		}
		m.Timeseries = m.Timeseries[:0]
	}
	add := func(ls []prompb.Label, t int64, v float64) {
		m.Timeseries = append(m.Timeseries, prompb.TimeSeries{Labels: ls, Samples: []prompb.Sample{{Timestamp: t, Value: v}}})
		send(false)
	}
	for t := loadStart; t < loadEnd; t += scrape {
		add(day, t, float64(rng.IntN(1000))/10)
		for i := range values {
			if t < wideStart {
				break
			}
			values[i] += float64(rng.IntN(1000)) / 10
			add(labels[i], t, values[i])
		}
	}
	send(true)
}
