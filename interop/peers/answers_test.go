package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"metricd/internal/storage"
)

// raw returns the samples of the last hour that Prometheus has. Native histograms are in it by their count and sum, under the names that metricd gives
// these.
func (p *prometheusServer) raw() (samples, error) {
	resp, err := http.PostForm("http://"+p.addr+"/api/v1/query", url.Values{"query": {`{__name__=~".+"}[1h]`}})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var a struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric     map[string]string
				Values     [][2]json.RawMessage // seconds, "value"
				Histograms [][2]json.RawMessage // seconds, {"count":"…","sum":"…"}
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return nil, err
	}
	if a.Status != "success" {
		return nil, errors.New(a.Error)
	}
	all := samples{}
	for _, series := range a.Data.Result {
		for _, v := range series.Values {
			if err := all.addRaw(key(series.Metric, ""), v[0], v[1]); err != nil {
				return nil, err
			}
		}
		for _, h := range series.Histograms {
			var is struct{ Count, Sum json.RawMessage }
			err := errors.Join(json.Unmarshal(h[1], &is), all.addRaw(key(series.Metric, "_count"), h[0], is.Count), all.addRaw(key(series.Metric, "_sum"), h[0], is.Sum))
			if err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// addRaw adds a sample as JSON has it: seconds, and a value as a text.
func (s samples) addRaw(key string, seconds, value json.RawMessage) error {
	var at float64
	var text string
	if err := errors.Join(json.Unmarshal(seconds, &at), json.Unmarshal(value, &text)); err != nil {
		return err
	}
	v, err := strconv.ParseFloat(text, 64)
	s.add(key, int64(math.Round(at*1000)), v)
	return err
}

// key returns the key of labels, with the name lengthened.
func key(metric map[string]string, suffix string) string {
	var all []storage.Label
	for name, value := range metric {
		if name == storage.MetricName {
			value += suffix
		}
		all = append(all, storage.Label{Name: name, Value: value})
	}
	set, ok := storage.NewLabels(all...)
	if !ok {
		panic(fmt.Sprintf("BUG: labels %v", metric))
	}
	return string(storage.AppendKey(nil, set))
}

// compare says how what the server has differs from what Prometheus has.
func (p *prometheusServer) compare(t *testing.T) error {
	t.Helper()
	want, err := p.raw()
	if err != nil {
		return err
	}
	got, err := p.s.export()
	if err != nil {
		return err
	}
	if len(want) < 100 {
		return fmt.Errorf("Prometheus has %d series", len(want))
	}
	p.addCustom(want)
	count := 0
	for key, values := range want {
		for ms, v := range values {
			is, ok := got[key][ms]
			v += 0 // Prometheus sends no value that equals 0, so -0 comes as 0
			if !ok || math.Float64bits(is) != math.Float64bits(v) && !(math.IsNaN(is) && math.IsNaN(v)) {
				return fmt.Errorf("%s at %d: the server has %v (%v), Prometheus %v", key, ms, is, ok, v)
			}
			count++
		}
	}
	for key, values := range got {
		for ms, v := range values {
			if _, ok := want[key][ms]; !ok {
				return fmt.Errorf("%s at %d: the server has %v, Prometheus nothing", key, ms, v)
			}
		}
	}
	t.Logf("%d samples of %d series are the same", count, len(want))
	return nil
}

// addCustom adds the buckets of the histograms of the job custom. That which has bounds never changes, so its buckets are those that the job target
// has as Prometheus scraped them; the one without bounds has a single bucket for all.
func (p *prometheusServer) addCustom(all samples) {
	series := func(name, rest string) string { return name + ";instance=" + p.target + ";job=" + rest }
	if of := all[series("peers_native_count", "custom")]; of != nil {
		all[series("peers_native_bucket", "custom;le=+Inf")] = of
	}
	for _, le := range []string{"-1.0", "0.0", "0.1", "1.0", "2.5", "1e+06", "+Inf"} {
		for _, v := range all[series("peers_classic_bucket", "target;le="+le)] {
			for ms := range all[series("peers_classic_count", "custom")] {
				all.add(series("peers_classic_bucket", "custom;le="+le), ms, v)
			}
			break
		}
	}
}
