package storagetest

import (
	"context"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"metricd/internal/storage"
)

// randomDocuments compares documents with a map by random operations.
func randomDocuments(t *rapid.T, e Engine) {
	f := newFixture(t, e)
	type document struct {
		data    string
		version storage.Version
	}
	model := map[string]document{}
	var versions []storage.Version
	name := rapid.SampledFrom([]string{"a", "b", "B", "%62"})
	expect := func(t *rapid.T, name string) storage.Version {
		if rapid.IntRange(0, 3).Draw(t, "stale") > 0 || len(versions) == 0 {
			return model[name].version
		}
		return rapid.SampledFrom(versions).Draw(t, "version")
	}
	t.Repeat(map[string]func(*rapid.T){
		"put": func(t *rapid.T) {
			name, data := name.Draw(t, "name"), rapid.StringN(0, 20, -1).Draw(t, "data")
			expected := expect(t, name)
			v, err := f.documents().PutDocument(context.Background(), name, []byte(data), expected)
			if expected != model[name].version {
				f.wantError("put", err, storage.ErrVersion)
				return
			}
			if err != nil || slices.Contains(versions, v) {
				t.Fatalf("put: version %x, %v", v, err)
			}
			model[name] = document{data, v}
			versions = append(versions, v)
		},
		"delete": func(t *rapid.T) {
			name := name.Draw(t, "name")
			was, ok := model[name]
			expected := expect(t, name)
			err := f.documents().DeleteDocument(context.Background(), name, expected)
			switch {
			case !ok:
				f.wantError("delete", err, storage.ErrNoDocument)
			case expected != was.version:
				f.wantError("delete", err, storage.ErrVersion)
			case err != nil:
				t.Fatalf("delete: %v", err)
			default:
				delete(model, name)
			}
		},
		"step": func(*rapid.T) { f.step() },
		"": func(*rapid.T) {
			var want []string
			for name, d := range model {
				want = append(want, name+"="+d.data)
			}
			slices.SortFunc(want, func(a, b string) int { // by name
				a, _, _ = strings.Cut(a, "=")
				b, _, _ = strings.Cut(b, "=")
				return strings.Compare(a, b)
			})
			f.compareDocuments("", want)
		},
	})
}
