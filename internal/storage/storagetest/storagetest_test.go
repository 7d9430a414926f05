package storagetest

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"metricd/internal/storage"
)

// mutantVariable names the mutant on which TestReference runs in a process of its own.
const mutantVariable = "STORAGETEST_MUTANT"

// TestReference runs the suite on the reference, or on the mutant that the environment
// names.
func TestReference(t *testing.T) {
	t.Parallel()
	open := func() storage.Store { return newReference() }
	if name := os.Getenv(mutantVariable); name != "" {
		patience = time.Second
		for _, m := range mutants() {
			if m.name == name {
				open = m.open
			}
		}
	}
	Run(t, Engine{Open: func(T) storage.Store { return open() }})
}

// TestReopened runs the suite on a reference that every Step closes and copies, as an
// engine on disk is closed and opened.
func TestReopened(t *testing.T) {
	t.Parallel()
	Run(t, Engine{
		Open: func(T) storage.Store { return newReference() },
		Step: func(t T, s storage.Store) storage.Store {
			old, opened := s.(*reference), newReference()
			opened.refDocuments = old.refDocuments
			if err := old.Close(); err != nil {
				t.Fatalf("Close: %v", err)
			}
			opened.births = old.births
			for id, x := range old.series {
				y := *x
				y.samples = maps.Clone(x.samples)
				opened.series[id] = &y
			}
			return opened
		},
	})
}

// TestWithout runs what is left for an engine that can do nothing of what is optional.
func TestWithout(t *testing.T) {
	t.Parallel()
	Run(t, Engine{
		Open: func(T) storage.Store {
			s := newReference()
			s.stats = func(st *storage.Stats) { st.Appended, st.Late, st.Overwritten = 0, 0, 0 }
			s.born = func(_ *reference, x *refSeries) { x.birth = -x.birth }
			return &byHalf{s}
		},
		Without: Capabilities{Order: true, ExactStats: true, AtomicDelete: true, Documents: true},
	})
}

// TestMutants proves that the suite finds what is wrong: each mutant runs in a process of
// its own, through the check that must find it.
func TestMutants(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			topic, name, _ := strings.Cut(m.check, "/")
			want := []string{m.check}
			if m.random {
				topic, want = topic+"|Random", append(want, "Random")
			}
			cmd := exec.Command(exe, "-test.run=^TestReference$/^("+topic+")$/^"+name+"$",
				"-test.timeout=60s", "-rapid.nofailfile", "-rapid.seed=1", "-rapid.shrinktime=50ms")
			cmd.Env = append(os.Environ(), mutantVariable+"="+m.name)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			for _, w := range want {
				if failed := regexp.MustCompile(`--- FAIL: TestReference/` + w + ` `); !failed.Match(out) {
					t.Errorf("%s did not find it:\n%s", w, out)
				}
			}
			if bytes.Contains(out, []byte("\npanic:")) || bytes.Contains(out, []byte("DATA RACE")) {
				t.Errorf("it did not fail in order:\n%s", out)
			}
		})
	}
}
