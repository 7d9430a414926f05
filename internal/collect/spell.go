package collect

import (
	"os"
	"strings"

	"metricd/internal/storage"
)

// speller makes keys of the names of figures.
//
//	host.disk.used_bytes;mount=/           without tags
//	disk_used_bytes;host=palm;mount=/      with tags, as Prometheus has names
type speller struct {
	prefix string        // of names without tags
	host   storage.Label // with tags; else without a name
}

func newSpeller(host string, tags bool) *speller {
	if !tags {
		if host == "" {
			host = "host"
		}
		return &speller{prefix: host + "."}
	}
	if host == "" {
		host = hostname()
	}
	return &speller{host: storage.Label{Name: "host", Value: host}}
}

// hostname returns what this machine calls itself.
func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return strings.ToValidUTF8(name, "\ufffd")
}

// spell returns the figures with their keys.
func (s *speller) spell(figures []figure) []Sample {
	samples := make([]Sample, len(figures))
	for i, f := range figures {
		samples[i] = Sample{s.key(f), f.value}
	}
	return samples
}

func (s *speller) key(f figure) string {
	name := s.prefix + f.name
	if s.host.Name != "" {
		name = strings.ReplaceAll(f.name, ".", "_")
	}
	labels := []storage.Label{{Name: storage.MetricName, Value: name}}
	for _, l := range []storage.Label{s.host, f.of} {
		if l.Name != "" {
			labels = append(labels, storage.Label{Name: l.Name, Value: strings.ToValidUTF8(l.Value, "\ufffd")})
		}
	}
	set, ok := storage.NewLabels(labels...)
	if !ok {
		panic("BUG: a label without a name")
	}
	return string(storage.AppendKey(nil, set))
}
